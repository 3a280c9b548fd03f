//! The document around every page: head, scripts where the page comes to life, body.

use std::borrow::Cow;

use leptos::prelude::*;
use vestibule_translations::{direction, island_texts, tag, td_string};

use crate::{
    components::{PRODUCT, frame::Shell},
    page::{Assets, Content, Frame, Head, Page, Refresh, Sheet},
};

/// Renders a page to HTML. Everything is in `page` already, so nothing is awaited.
pub fn render<C: Content>(page: Page<C>) -> String {
    // Without resources there is nothing to hand from server to browser, hence no shared context.
    let owner = Owner::new_root(None);
    let html = owner.with(|| document(page).to_html());
    owner.unset_with_forced_cleanup();
    // The library's marks for what comes to life are no HTML to a checker, and an empty comment is the same to a browser. Text
    // cannot hold one: the library escapes it.
    let mark = if html.contains("<leptos-island") {
        "<!---->"
    } else {
        ""
    };
    html.replace("<!>", mark)
}

/// The whole HTML document of a page.
fn document<C: Content>(page: Page<C>) -> impl IntoView {
    let Page { frame, content } = page;
    let locale = frame.locale;
    let Head {
        title,
        sheets,
        account_script,
        refresh,
    } = content.head(locale);
    let facts = content.island(&frame);
    let title = title_of(&frame, title);
    let with_console = sheets.contains(&Sheet::Console);
    let sheets = sheets
        .iter()
        .map(|sheet| match sheet {
            Sheet::Account => frame.assets.account_style.clone(),
            Sheet::Console => frame.assets.console_style.clone(),
        })
        .map(|href| view! { <link rel="stylesheet" href=href /> })
        .collect_view();
    let refresh = refresh.map(|refresh| match refresh {
        Refresh::Soon => "2".to_owned(),
        Refresh::Often => "5".to_owned(),
        Refresh::To(address) => ["0;url=", &address].concat(),
    });
    let languages: Vec<String> = frame
        .assets
        .texts
        .iter()
        .map(|(tag, address)| [tag, "=", address].concat())
        .collect();
    // Everybody who is signed in has the same header, and its language switch.
    let is_signed_in = frame.signed_in.is_some();
    let modules = [
        (account_script || is_signed_in).then(|| frame.assets.account_script.clone()),
        with_console.then(|| frame.assets.console_script.clone()),
        is_signed_in.then(|| frame.assets.session_script.clone()),
    ]
    .into_iter()
    .flatten()
    .map(|script| view! { <script type="module" src=script nonce=frame.nonce.clone()></script> })
    .collect_view();
    let head = view! {
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        {refresh.map(|content| view! { <meta http-equiv="refresh" content=content /> })}
        <title inner_html=escape(&title)></title>
        <link rel="stylesheet" href=frame.assets.style.clone() />
        <link rel="icon" type="image/svg+xml" href=frame.assets.icon.clone() />
        {sheets}
        {facts.is_some().then(|| scripts(frame.assets.clone(), frame.nonce.clone()))}
        {modules}
    };
    view! {
        <!DOCTYPE html>
        <html lang=tag(locale) dir=direction(locale)>
            <head>{head}</head>
            {match facts {
                Some(facts) => {
                    let island = content.view(frame).to_html();
                    let elements = elements_inside(&island);
                    view! {
                        <body
                            data-facts=facts
                            data-texts=island_texts(locale)
                            data-languages=languages.join(" ")
                            data-elements=elements
                            inner_html=island
                        ></body>
                    }
                        .into_any()
                }
                None => view! { <body>{content.view(frame)}</body> }.into_any(),
            }}
        </html>
    }
}

/// The title of the document; it says when something was refused.
fn title_of(frame: &Frame, title: Cow<'static, str>) -> String {
    let title = if frame.refused {
        td_string!(frame.locale, common.refused_title, title = title)
    } else {
        title.into_owned()
    };
    [&title, " · ", PRODUCT].concat()
}

/// How many elements are inside an island. Extensions put elements of their own into a page before it comes to life, and an
/// island would then take one for another: the loading script counts, and fetches the page once more where there are others.
fn elements_inside(island: &str) -> String {
    // Everywhere else the library escapes this mark.
    let opened = |mark: &&[u8]| mark[0] == b'<' && mark[1].is_ascii_alphabetic();
    let elements = island.as_bytes().windows(2).filter(opened).count();
    elements.saturating_sub(1).to_string()
}

/// The script that brings the islands to life, and what it will load.
fn scripts(assets: Assets, nonce: String) -> impl IntoView {
    let Assets {
        script,
        bindings,
        wasm,
        ..
    } = assets;
    view! {
        <link rel="modulepreload" href=bindings.clone() nonce=nonce.clone() />
        <link rel="preload" href=wasm.clone() r#as="fetch" r#type="application/wasm" crossorigin="anonymous" />
        <script type="module" src=script nonce=nonce data-bindings=bindings data-wasm=wasm></script>
    }
}

/// What an island must know about the page around it.
pub fn shell(frame: Frame) -> Shell {
    Shell {
        language: tag(frame.locale).to_owned(),
        path: frame.path,
        links: frame.links,
        logo: frame.assets.logo,
    }
}

/// Text for the inside of an element whose children the library does not escape.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::{elements_inside, escape};

    #[test]
    fn elements_are_counted_and_nothing_else() {
        let island = "<leptos-island><!><p class=\"a\">1 &lt; 2<br>x</p><svg><path/></svg></leptos-island>";
        assert_eq!(elements_inside(island), "4");
    }

    #[test]
    fn a_title_cannot_end_itself() {
        assert_eq!(escape("</title><script>&"), "&lt;/title&gt;&lt;script&gt;&amp;");
    }
}
