//! `/admin`: the overview of a company: who is there now, and the sign-ins of a period as a chart and as a table.

mod chart;

use axum::{extract::State, http::StatusCode, response::Response};
use chrono::{Days, NaiveDate};
use leptos::prelude::*;
use vestibule_app::{
    components::forms::{few_backup_codes, moment},
    page::{Content, Frame, Head, Sheet},
    shell::console::console_wide,
};
use vestibule_core::{
    account::{Account, Role},
    agents::{AgentState, FactorFilter},
    audit::Event,
    paths::{self, ADMIN, ADMIN_AUDIT, ADMIN_MAIL, ADMIN_SESSIONS, AGENTS},
    refusal::Refusal,
    rights::Action,
    sso::Provider,
};
use vestibule_service::console::{Overview, PeriodInput};
use vestibule_storage::Waiting;
use vestibule_translations::{Locale, event_name, proof_name, sentences, td_string};

use self::chart::{FAILED_FILL, GOOD_FILL, chart, most};
use super::agents::{UNLOCK_SELECTED, agent_view};
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
    routes.page(ADMIN, Action::SeeOverview, overview)
}

/// Supervisors begin with the list of agents.
async fn overview(State(state): State<AppState>, facts: Facts) -> Response {
    let signed_in = match signed_in(&state, &facts).await {
        Ok(signed_in) => signed_in,
        Err(response) => return *response,
    };
    if signed_in.account.highest_role() == Role::Supervisor {
        return see_other(AGENTS);
    }
    let (company, account) = (&signed_in.company, &signed_in.account);
    let asked = |name| facts.query(name).unwrap_or_default();
    let input = PeriodInput {
        from: asked("from"),
        until: asked("until"),
    };
    let found = match state.service.console().overview(&input, &facts.visitor).await {
        Ok(found) => found,
        Err(Refusal::Forbidden) => {
            let page = facts.page_for(&state, company, account, Problem(Refusal::Forbidden));
            return show(StatusCode::FORBIDDEN, page);
        }
        Err(refusal) => return redirect_or_refuse(&refusal, ADMIN),
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
        Head::new(
            td_string!(now, console.admin_title),
            &[Sheet::Account, Sheet::Console],
        )
    }

    fn view(self, frame: Frame) -> AnyView {
        let now = frame.locale;
        let found = &self.found;
        let content = view! {
            <div>
                <h1>{td_string!(now, console.admin_title)}</h1>
                <p class="lead">{td_string!(now, console.admin_intro, company = found.company.name.clone())}</p>
            </div>
            {few_backup_codes(now, self.few_backup_codes)}
            {first_steps(now, found)}
            <div id="now" class="tiles" data-refresh="">
                {tiles(now, found)}
            </div>
            <div id="people" class="tiles" data-refresh="">
                {locked(now, found)}
                {waiting(now, found)}
            </div>
            {periods(now, found)}
            <div id="chart" data-refresh="">
                {sign_ins(now, found)}
            </div>
            <div id="shares" class="tiles" data-refresh="">
                {shares(now, found)}
            </div>
        };
        console_wide(frame, ADMIN, content)
    }
}

/// What a company does that has nobody yet but whoever looks.
fn first_steps(now: Locale, found: &Overview) -> AnyView {
    (found.agents.all <= 1)
        .then(|| {
            let steps = [
                (paths::ADMIN_SECURITY, td_string!(now, console.step_policies)),
                (paths::AGENTS_NEW, td_string!(now, console.step_agents)),
                (ADMIN_MAIL, td_string!(now, console.step_mail)),
            ]
            .map(|(href, label)| {
                view! {
                    <li>
                        <a href=href>{label}</a>
                    </li>
                }
            })
            .into_iter()
            .collect_view();
            view! {
                <section class="card" aria-labelledby="steps">
                    <h2 id="steps">{td_string!(now, console.first_steps)}</h2>
                    <ol class="steps">{steps}</ol>
                </section>
            }
        })
        .into_any()
}

fn tiles(now: Locale, found: &Overview) -> AnyView {
    let locked = [AGENTS, "?state=", AgentState::Locked.as_str()].concat();
    let without = [AGENTS, "?factor=", FactorFilter::None.as_str()].concat();
    let active = [AGENTS, "?state=", AgentState::Active.as_str()].concat();
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
    let both = found.agents.with_email + found.agents.with_app - found.agents.with_second_factor;
    let mix = [
        (td_string!(now, agents.factor_app), found.agents.with_app - both),
        (
            td_string!(now, agents.factor_email),
            found.agents.with_email - both,
        ),
        (td_string!(now, console.both_factors), both),
    ];
    view! {
        {tile(
            td_string!(now, company.signed_in_now),
            found.signed_in.to_string(),
            None,
            Some((ADMIN_SESSIONS.to_owned(), td_string!(now, console.see_sessions))),
        )}
        {tile(
            td_string!(now, company.waiting_now),
            found.waiting.to_string(),
            None,
            (found.waiting > 0).then(|| ("#waiting".to_owned(), td_string!(now, console.see_waiting))),
        )}
        {tile(
            td_string!(now, company.locked_now),
            found.agents.locked.to_string(),
            None,
            (found.agents.locked > 0).then(|| (locked, td_string!(now, company.see_locked))),
        )}
        {mails(now, found)}
        {tile(
            td_string!(now, company.coverage),
            covered,
            Some([vec![of], labelled(now, &mix)].concat().join(" · ")),
            incomplete
                .then(|| (without, td_string!(now, company.see_without)))
                .or_else(|| Some((active, td_string!(now, console.see_active)))),
        )}
    }
    .into_any()
}

/// Numbers with their names.
fn labelled(now: Locale, numbers: &[(&'static str, i64)]) -> Vec<String> {
    let numbers = numbers.iter();
    numbers
        .map(|(name, number)| td_string!(now, common.labelled, label = name, value = number))
        .collect()
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
    let more: Vec<String> = [oldest, failing, given_up].into_iter().flatten().collect();
    tile(
        td_string!(now, company.mails_waiting),
        mails.waiting.to_string(),
        (!more.is_empty()).then(|| sentences(now, &more)),
        Some((ADMIN_MAIL.to_owned(), td_string!(now, company.see_mail))),
    )
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
fn tile(
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

/// Some of those who are locked, each with the way out.
fn locked(now: Locale, found: &Overview) -> AnyView {
    let moments = Moments::of(now, &found.company, &found.own);
    let row = |account: &Account| {
        let heading = ["locked-", &account.id.to_string()].concat();
        let unlock = Action::Unlock.reaches(&found.own, account).then(|| {
            view! {
                <form method="post" action=UNLOCK_SELECTED>
                    <input type="hidden" name="selected[]" value=account.id.to_string() />
                    <input type="hidden" name="back" value="state=locked" />
                    <button class="button small" aria-describedby=heading.clone()>
                        {td_string!(now, agents.unlock)}
                    </button>
                </form>
            }
        });
        view! {
            <li class="row">
                <div class="row-text">
                    <a id=heading.clone() href=agent_view(account.id)>
                        <bdi>{account.person.alias.clone()}</bdi>
                    </a>
                    " "
                    {account.locked_at.map(|at| moment(moments.write(at)))}
                </div>
                {unlock}
            </li>
        }
    };
    (!found.locked.is_empty())
        .then(|| {
            let rows = found.locked.iter().map(row).collect_view();
            view! {
                <section class="card" aria-labelledby="locked">
                    <h2 id="locked">{td_string!(now, company.locked_now)}</h2>
                    <ul class="rows">{rows}</ul>
                </section>
            }
        })
        .into_any()
}

/// Those who waited for a code last.
fn waiting(now: Locale, found: &Overview) -> AnyView {
    let moments = Moments::of(now, &found.company, &found.own);
    let row = |waiting: &Waiting| {
        view! {
            <li class="row">
                <div class="row-text">
                    <a href=agent_view(waiting.account())>
                        <bdi>{waiting.alias.clone()}</bdi>
                    </a>
                    " "
                    {moment(moments.write(waiting.created_at))}
                    " "
                    <bdi class="quiet">{waiting.address.clone()}</bdi>
                </div>
            </li>
        }
    };
    (!found.waiting_for_code.is_empty())
        .then(|| {
            let rows = found.waiting_for_code.iter().map(row).collect_view();
            view! {
                <section class="card" aria-labelledby="waiting">
                    <h2 id="waiting">{td_string!(now, company.waiting_now)}</h2>
                    <ul class="rows">{rows}</ul>
                </section>
            }
        })
        .into_any()
}

/// The overview of other days: the usual ones, and those that somebody types.
fn periods(now: Locale, found: &Overview) -> AnyView {
    let period = &found.period;
    let today = found.spans.last().map_or(period.until, |span| span.day);
    let links = [1, 2, 7, 14, 30, 90]
        .map(|days| {
            let from = today.checked_sub_days(Days::new(days - 1)).unwrap_or(today);
            let current = period.from == from && period.until == today;
            let href = if days == 14 {
                ADMIN.to_owned()
            } else {
                dates(ADMIN, "", from, today)
            };
            view! {
                <a class="chip" href=href aria-current=current.then_some("true")>
                    {td_string!(now, console.last_days, count = days)}
                </a>
            }
        })
        .into_iter()
        .collect_view();
    let day = |id: &'static str, label: &'static str, value: NaiveDate| {
        view! {
            <div class="field">
                <label for=id>{label}</label>
                <div class="control">
                    <input id=id name=id type="date" value=value.to_string() autocomplete="off" />
                </div>
            </div>
        }
    };
    view! {
        <form class="card periods" method="get" action=ADMIN aria-label=td_string!(now, console.period)>
            <div class="buttons">{links}</div>
            {day("from", td_string!(now, company.from), period.from)}
            {day("until", td_string!(now, company.until), period.until)}
            <button class="button">{td_string!(now, company.show)}</button>
        </form>
    }
    .into_any()
}

/// An address with the days of a period; `more` goes before them in the query.
fn dates(path: &str, more: &str, from: NaiveDate, until: NaiveDate) -> String {
    format!("{path}?{more}from={from}&until={until}")
}

fn sign_ins(now: Locale, found: &Overview) -> AnyView {
    let (period, spans) = (&found.period, &found.spans);
    let title = if period.is_usual {
        td_string!(now, company.chart_title).to_owned()
    } else {
        td_string!(
            now,
            console.chart_period,
            from = period.from.to_string(),
            until = period.until.to_string()
        )
    };
    let sums = (
        spans.iter().map(|span| span.signed_in).sum::<i64>(),
        spans.iter().map(|span| span.failed).sum::<i64>(),
    );
    let text = if period.by_hour {
        td_string!(
            now,
            console.chart_text_hours,
            most = most(spans),
            good = sums.0,
            failed = sums.1
        )
    } else {
        td_string!(
            now,
            company.chart_text,
            most = most(spans),
            good = sums.0,
            failed = sums.1
        )
    };
    let svg = chart(now, spans, &title, &text);
    let swatch = |fill: &str| {
        format!(
            r#"<svg width="18" height="18" viewBox="0 0 18 18" aria-hidden="true"><rect x="1" y="1" width="16" height="16" rx="3" {fill}/></svg>"#
        )
    };
    view! {
        <section class="card" aria-labelledby="sign-ins">
            <h2 id="sign-ins">{title}</h2>
            <div class="chart" inner_html=svg></div>
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
            {numbers(now, found)}
        </section>
    }
    .into_any()
}

/// The same numbers as a table.
fn numbers(now: Locale, found: &Overview) -> AnyView {
    let rows = found
        .spans
        .iter()
        .map(|span| {
            let shown = match span.hour {
                Some(hour) => format!("{} {hour:02}:00", span.day),
                None => span.day.to_string(),
            };
            let href = dates(ADMIN_AUDIT, "", span.day, span.day);
            view! {
                <tr>
                    <th scope="row">
                        <a href=href>
                            <bdi>{shown}</bdi>
                        </a>
                    </th>
                    <td>{span.signed_in}</td>
                    <td>{span.failed}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
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
    }
    .into_any()
}

/// Why sign-ins failed, how the others were proved, and who is connected to a provider.
fn shares(now: Locale, found: &Overview) -> AnyView {
    let period = &found.period;
    let of_event = |event: Event| {
        let event = format!("event={}&", event.as_str());
        dates(ADMIN_AUDIT, &event, period.from, period.until)
    };
    let causes = found
        .causes
        .iter()
        .map(|&(event, count)| (event_name(now, event).to_owned(), count, Some(of_event(event))))
        .collect();
    let all: i64 = found.proofs.iter().map(|(_, count)| count).sum();
    let proofs = found
        .proofs
        .iter()
        .map(|(word, count)| (proof_name(now, word).to_owned(), *count, None))
        .collect();
    let identities = found
        .identities
        .iter()
        .filter_map(|(word, count)| Some((Provider::from_word(word)?.name().to_owned(), *count, None)))
        .collect();
    view! {
        {bars("causes", td_string!(now, console.causes), causes, None)}
        {bars("proofs", td_string!(now, console.proofs), proofs, Some(all))}
        {bars("identities", td_string!(now, console.connected_accounts), identities, Some(found.agents.all))}
    }
    .into_any()
}

/// Numbers with their names as bars; `whole` is what a full bar stands for, else the largest of them.
fn bars(
    id: &'static str,
    title: &'static str,
    rows: Vec<(String, i64, Option<String>)>,
    whole: Option<i64>,
) -> AnyView {
    let largest = rows.iter().map(|(_, count, _)| *count).max().unwrap_or_default();
    let whole = whole.unwrap_or(largest).max(1);
    (!rows.is_empty())
        .then(|| {
            let rows = rows
                .into_iter()
                .map(|(name, count, href)| {
                    let shown = name.clone();
                    let name = match href {
                        Some(href) => view! { <a href=href>{name}</a> }.into_any(),
                        None => name.into_any(),
                    };
                    view! {
                        <div>
                            <dt>{name}</dt>
                            <dd>
                                <meter min="0" max=whole.to_string() value=count.to_string() aria-label=shown></meter>
                                <b>{count}</b>
                            </dd>
                        </div>
                    }
                })
                .collect_view();
            view! {
                <section class="card" aria-labelledby=id>
                    <h2 id=id>{title}</h2>
                    <dl class="bars">{rows}</dl>
                </section>
            }
        })
        .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_them_is_said_only_when_it_is_so() {
        assert_eq!(coverage(0, 0), 0);
        assert_eq!(coverage(3, 2), 66);
        assert_eq!(coverage(1000, 999), 99);
        assert_eq!(coverage(3, 3), 100);
    }
}
