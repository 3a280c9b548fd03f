//! `/admin`: the overview of a company: numbers, and a chart with the same numbers as a table beneath.

use std::fmt::Write;

use axum::{extract::State, http::StatusCode, response::Response};
use chrono::Datelike;
use leptos::prelude::*;
use vestibule_app::{
    components::forms::few_backup_codes,
    page::{Content, Frame, Head, Sheet},
    shell::{
        console::{console, hero, who},
        document::escape,
    },
};
use vestibule_core::{
    account::Role,
    agents::{AgentState, FactorFilter},
    paths,
    refusal::Refusal,
    rights::Action,
};
use vestibule_service::console::{DayOfSignIns, Overview};
use vestibule_translations::{Locale, is_rtl, td_string};

use crate::{
    form::{Routes, redirect_or_refuse},
    http::{
        answer::{see_other, show},
        facts::Facts,
        moments::Moments,
    },
    pages::{
        common::{few_codes, signed_in},
        problem::Problem,
    },
    state::AppState,
};

/// The overview.
pub fn routes(routes: Routes) -> Routes {
    routes.page(paths::ADMIN, Action::SeeOverview, overview)
}

/// Supervisors begin with the list of agents.
async fn overview(State(state): State<AppState>, facts: Facts) -> Response {
    let signed_in = match signed_in(&state, &facts).await {
        Ok(signed_in) => signed_in,
        Err(response) => return *response,
    };
    if signed_in.account.highest_role() == Role::Supervisor {
        return see_other(paths::AGENTS);
    }
    let (company, account) = (&signed_in.company, &signed_in.account);
    let found = match state.service.console().overview(&facts.visitor).await {
        Ok(found) => found,
        Err(Refusal::Forbidden) => {
            let page = facts.page_for(&state, company, account, Problem(Refusal::Forbidden));
            return show(StatusCode::FORBIDDEN, page);
        }
        Err(refusal) => return redirect_or_refuse(&refusal, paths::ADMIN),
    };
    let page = OverviewPage {
        few_backup_codes: few_codes(&state, &facts, &signed_in).await,
        found,
    };
    show(StatusCode::OK, facts.page_for(&state, company, account, page))
}

struct OverviewPage {
    /// How many backup codes of the own account are left, when there are so few that it has to be said.
    few_backup_codes: Option<usize>,
    found: Overview,
}

impl Content for OverviewPage {
    fn head(&self, now: Locale) -> Head {
        Head::new(td_string!(now, console.admin_title), &[Sheet::Console])
    }

    fn view(self, frame: Frame) -> AnyView {
        let now = frame.locale;
        let content = frame.signed_in.clone().map(|somebody| {
            let title = td_string!(now, console.admin_title).to_owned();
            let intro = td_string!(now, console.admin_intro, company = somebody.company.clone());
            view! {
                {hero(None, title, intro)}
                {few_backup_codes(now, self.few_backup_codes)}
                {cards(now, &self.found)}
                {sign_ins(now, &self.found.days)}
                <div class="cards">{who(now, somebody)}</div>
            }
        });
        console(frame, paths::ADMIN, None, content)
    }
}

fn cards(now: Locale, found: &Overview) -> AnyView {
    let locked = [paths::AGENTS, "?state=", AgentState::Locked.as_str()].concat();
    let without = [paths::AGENTS, "?factor=", FactorFilter::None.as_str()].concat();
    let covered = td_string!(
        now,
        company.percent,
        percent = coverage(found.agents.active, found.agents.with_second_factor)
    );
    let of = td_string!(
        now,
        company.coverage_of,
        covered = found.agents.with_second_factor,
        count = found.agents.active
    );
    let incomplete = found.agents.with_second_factor < found.agents.active;
    view! {
        <div class="cards">
            {card(td_string!(now, company.signed_in_now), found.signed_in.to_string(), None, None)}
            {card(
                td_string!(now, company.locked_now),
                found.agents.locked.to_string(),
                None,
                (found.agents.locked > 0).then(|| (locked, td_string!(now, company.see_locked))),
            )} {card(td_string!(now, company.waiting_now), found.waiting.to_string(), None, None)}
            {mails(now, found)}
            {card(
                td_string!(now, company.coverage),
                covered,
                Some(of),
                incomplete.then(|| (without, td_string!(now, company.see_without))),
            )}
        </div>
    }
    .into_any()
}

/// How many mails wait, and what is wrong with them.
fn mails(now: Locale, found: &Overview) -> AnyView {
    let mails = &found.mail;
    let moments = Moments::of(now, &found.company, &found.own);
    let oldest = mails
        .oldest
        .map(|since| td_string!(now, company.mails_oldest, when = moments.write(since).shown));
    let failing = (mails.failing > 0).then(|| td_string!(now, company.mails_failing, count = mails.failing));
    let given_up =
        (mails.given_up > 0).then(|| td_string!(now, company.mails_given_up, count = mails.given_up));
    let wrong = failing.is_some() || given_up.is_some();
    let more: Vec<String> = [oldest, failing, given_up].into_iter().flatten().collect();
    card(
        td_string!(now, company.mails_waiting),
        mails.waiting.to_string(),
        (!more.is_empty()).then(|| more.join(" ")),
        wrong.then(|| (paths::ADMIN_MAIL.to_owned(), td_string!(now, company.see_mail))),
    )
    .into_any()
}

/// Share of active accounts that have a second factor, in whole percent, rounded down: 100 means all of them.
fn coverage(active: i64, with_second_factor: i64) -> i64 {
    if active > 0 {
        with_second_factor.saturating_mul(100) / active
    } else {
        0
    }
}

/// A number and what it counts; where there is something to look at, the way there.
fn card(
    title: &'static str,
    number: String,
    more: Option<String>,
    link: Option<(String, &'static str)>,
) -> AnyView {
    view! {
        <section class="card count">
            <h2>{title}</h2>
            <p class="number">
                <b>{number}</b>
            </p>
            {more.map(|more| view! { <p class="quiet">{more}</p> })}
            {link
                .map(|(href, label)| {
                    view! {
                        <p class="card-end">
                            <a href=href>{label}</a>
                        </p>
                    }
                })}
        </section>
    }
    .into_any()
}

/// Fill of the columns of failed sign-ins: stripes with a line around, so that nobody has to tell colours apart.
const STRIPES: &str = r#"<pattern id="failed" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path d="M0 0V5" stroke="var(--bad)" stroke-width="4"/></pattern>"#;
const GOOD_FILL: &str = r#"fill="var(--brand)" stroke="var(--brand)""#;
const FAILED_FILL: &str = r#"fill="url(#failed)" stroke="var(--bad)""#;

fn sign_ins(now: Locale, days: &[DayOfSignIns]) -> AnyView {
    let rows = days
        .iter()
        .map(|day| {
            view! {
                <tr>
                    <th scope="row">
                        <time datetime=day.day.to_string()>
                            <bdi>{day.day.to_string()}</bdi>
                        </time>
                    </th>
                    <td>{day.signed_in}</td>
                    <td>{day.failed}</td>
                </tr>
            }
        })
        .collect_view();
    let swatch = |fill: &str| {
        format!(
            r#"<svg width="18" height="18" viewBox="0 0 18 18" aria-hidden="true"><rect x="1" y="1" width="16" height="16" rx="3" {fill}/></svg>"#
        )
    };
    view! {
        <section class="card" aria-labelledby="sign-ins">
            <h2 id="sign-ins">{td_string!(now, company.chart_title)}</h2>
            <div class="chart" inner_html=chart(now, days)></div>
            <ul class="legend">
                <li>
                    <span inner_html=swatch(GOOD_FILL)></span>
                    {td_string!(now, company.chart_good)}
                </li>
                <li>
                    <span inner_html=swatch(FAILED_FILL)></span>
                    {td_string!(now, company.chart_failed)}
                </li>
            </ul>
            <details>
                <summary>{td_string!(now, company.numbers)}</summary>
                <div class="table-scroll">
                    <table>
                        <thead>
                            <tr>
                                <th scope="col">{td_string!(now, company.day)}</th>
                                <th scope="col">{td_string!(now, company.chart_good)}</th>
                                <th scope="col">{td_string!(now, company.chart_failed)}</th>
                            </tr>
                        </thead>
                        <tbody>{rows}</tbody>
                    </table>
                </div>
            </details>
        </section>
    }
    .into_any()
}

/// Width of a day in the chart.
const DAY: i64 = 48;
/// Width of a column.
const COLUMN: i64 = 18;
/// Height of the highest column.
const HEIGHT: i64 = 160;
/// Space above the columns, for the highest number.
const HEAD: i64 = 24;

/// The chart as SVG, made of our own numbers and words. Time goes the way the language is read.
fn chart(now: Locale, days: &[DayOfSignIns]) -> String {
    let most = days
        .iter()
        .map(|day| day.signed_in.max(day.failed))
        .max()
        .unwrap_or_default();
    let sum = |of: fn(&DayOfSignIns) -> i64| days.iter().map(of).sum::<i64>();
    let text = td_string!(
        now,
        company.chart_text,
        most = most,
        good = sum(|day| day.signed_in),
        failed = sum(|day| day.failed)
    );
    let width = DAY * i64::try_from(days.len()).unwrap_or_default();
    let base = HEAD + HEIGHT;
    let mut svg = format!(
        r#"<svg viewBox="0 0 {width} {}" width="100%" role="img" aria-labelledby="chart-title chart-text"><title id="chart-title">{}</title><desc id="chart-text">{}</desc><defs>{STRIPES}</defs><g font-size="14" fill="currentColor" text-anchor="middle">"#,
        base + HEAD,
        escape(td_string!(now, company.chart_title)),
        escape(&text),
    );
    for (place, day) in (0..).zip(days) {
        let from_start: i64 = place * DAY;
        let left = if is_rtl(now) {
            width - DAY - from_start
        } else {
            from_start
        };
        let (first, second) = (left + DAY / 2 - COLUMN - 1, left + DAY / 2 + 1);
        let (good_x, failed_x) = if is_rtl(now) {
            (second, first)
        } else {
            (first, second)
        };
        for (x, count, fill) in [
            (good_x, day.signed_in, GOOD_FILL),
            (failed_x, day.failed, FAILED_FILL),
        ] {
            // Every sign-in is to be seen, however many there were on another day.
            let height = if count > 0 {
                (count * HEIGHT / most.max(1)).max(3)
            } else {
                0
            };
            let top = base - height;
            // Writing to a string cannot fail.
            let _ = write!(
                svg,
                r#"<rect x="{x}" y="{top}" width="{COLUMN}" height="{height}" {fill}/>"#
            );
            if count == most && count > 0 {
                let _ = write!(
                    svg,
                    r#"<text x="{}" y="{}">{count}</text>"#,
                    x + COLUMN / 2,
                    top - 6
                );
            }
        }
        let _ = write!(
            svg,
            r#"<text x="{}" y="{}">{}</text>"#,
            left + DAY / 2,
            base + 18,
            day.day.day()
        );
    }
    let _ = write!(
        svg,
        r#"</g><path d="M0 {base}.5H{width}" stroke="currentColor"/></svg>"#
    );
    svg
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;

    fn days() -> Vec<DayOfSignIns> {
        [(0, 0), (8, 1), (3, 0)]
            .into_iter()
            .zip(1..)
            .map(|((signed_in, failed), day): (_, u32)| DayOfSignIns {
                day: NaiveDate::from_ymd_opt(2026, 1, day).unwrap(),
                signed_in,
                failed,
            })
            .collect()
    }

    #[test]
    fn the_chart_says_in_words_what_it_shows() {
        let svg = chart(Locale::en, &days());
        assert!(
            svg.contains(r#"role="img""#) && svg.contains("<desc id=\"chart-text\">"),
            "{svg}"
        );
        assert!(svg.contains("Completed sign-ins: 11. Failed: 1."), "{svg}");
        assert!(svg.contains(r#"fill="url(#failed)""#));
        assert!(chart(Locale::en, &[]).ends_with("</svg>"));
    }

    #[test]
    fn the_first_day_stands_where_reading_begins() {
        let first = |locale| {
            let svg = chart(locale, &days());
            svg.split("<text x=\"")
                .find(|text| text.ends_with(">1</text>") || text.contains(">1</text>"))
                .map(str::to_owned)
        };
        assert_ne!(first(Locale::en), first(Locale::ar));
    }

    #[test]
    fn all_of_them_is_said_only_when_it_is_so() {
        assert_eq!(coverage(0, 0), 0);
        assert_eq!(coverage(3, 2), 66);
        assert_eq!(coverage(1000, 999), 99);
        assert_eq!(coverage(3, 3), 100);
    }
}
