//! The one layout of all mails: blocks, written once as plain text and once as HTML.
//!
//! The HTML has no script, no picture and no address it loads anything from; the only link is the one thing to do next.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use textwrap::{Options, WordSplitter};
use url::Url;
use vestibule_translations::{Locale, direction, is_rtl, isolate, tag, td_string};

/// Width of the plain text, in columns.
const TEXT_WIDTH: usize = 72;

/// A part of a mail.
pub(super) enum Block {
    /// A paragraph of text.
    Paragraph(String),
    /// A code to type, on its own line and easy to select.
    Code(String),
    /// The one thing to do next.
    Button {
        /// What it says.
        label: String,
        /// Where it leads.
        link: WebLink,
    },
    /// Facts with their labels.
    Facts(Vec<(String, String)>),
    /// What is typed or copied somewhere else, with labels. Nothing invisible stands in or around it.
    ToCopy(Vec<(&'static str, Copied)>),
}

/// Something that the reader copies out of a mail.
pub(super) enum Copied {
    /// An address to open.
    Link(WebLink),
    /// A name.
    Name(String),
    /// A password: one click selects all of it.
    Secret(String),
}

impl Copied {
    fn words(&self) -> &str {
        match self {
            Self::Link(link) => &link.0,
            Self::Name(words) | Self::Secret(words) => words,
        }
    }
}

/// An `http` or `https` address; nothing else becomes a link.
pub(super) struct WebLink(String);

impl WebLink {
    /// Reads an address; `None` when a mail must not link to it.
    pub(super) fn parse(address: &str) -> Option<Self> {
        let url = Url::parse(address).ok()?;
        (matches!(url.scheme(), "http" | "https") && url.has_host()).then(|| Self(url.into()))
    }
}

/// A mail before it is written out.
pub(super) struct Page {
    /// The language.
    pub(super) locale: Locale,
    /// The product's name.
    pub(super) product: &'static str,
    /// The company's name.
    pub(super) company: String,
    /// Subject of the mail and title of the page.
    pub(super) subject: String,
    /// Whether the subject is shown above the text too.
    pub(super) heading: bool,
    /// What it says.
    pub(super) blocks: Vec<Block>,
    /// Who sent it and why.
    pub(super) footer: String,
}

/// The plain text: wrapped, codes and links alone on their lines and never broken.
pub(super) fn text(page: &Page) -> String {
    let mut parts: Vec<String> = page
        .blocks
        .iter()
        .map(|block| match block {
            Block::Paragraph(words) => wrap(words),
            Block::Code(code) => code.clone(),
            // The sentence before it says what it is for.
            Block::Button { link, .. } => link.0.clone(),
            Block::Facts(facts) => facts
                .iter()
                .map(|(label, fact)| td_string!(page.locale, common.labelled, label = label, value = fact))
                .collect::<Vec<_>>()
                .join("\n"),
            Block::ToCopy(facts) => facts
                .iter()
                .map(|(label, fact)| to_copy(page.locale, label, fact.words()))
                .collect::<Vec<_>>()
                .join("\n"),
        })
        .collect();
    // Mail clients know this line as the start of a signature and show what follows less loudly.
    parts.push(format!("-- \n{}", wrap(&page.footer)));
    parts.join("\n\n") + "\n"
}

/// Something to copy, behind its label. Marks of direction would be copied along: from right to left it stands alone on its line
/// instead.
fn to_copy(locale: Locale, label: &str, copied: &str) -> String {
    let line = td_string!(locale, common.labelled, label = label, value = "\n");
    let (before, after) = line.split_once('\n').unwrap_or((line.as_str(), ""));
    if is_rtl(locale) {
        [before.trim_end(), "\n", copied, after].concat()
    } else {
        [before, copied, after].concat()
    }
}

fn wrap(words: &str) -> String {
    let options = Options::new(TEXT_WIDTH)
        .break_words(false)
        .word_splitter(WordSplitter::NoHyphenation);
    textwrap::fill(words, options)
}

// Colours stand in style attributes, because some clients drop style elements; the style element only repaints them
// for dark screens. All pairs have a contrast of at least 4.5 to 1. Tables hold what Outlook for Windows must not lose:
// it knows no padding but that of cells, and no widest width.
const CANVAS: &str = "margin:0;padding:0;background:#f7f5f0;color:#1b2624";
const COLUMN: &str = "max-width:560px;margin:0 auto;font-size:16px;line-height:1.55;\
    font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',Helvetica,Arial,sans-serif";
const AROUND: &str = "padding:28px 16px";
const BRAND: &str = "padding:0 12px;font-size:17px;line-height:1.3;font-weight:600";
const COMPANY: &str = "font-size:14px;font-weight:400;color:#55625f;overflow-wrap:anywhere";
const CARD: &str = "background:#ffffff;border:1px solid #dedad0;border-radius:12px;padding:24px 20px";
const HEADING: &str = "margin:0 0 16px;font-size:22px;line-height:1.3;font-weight:600";
const LINK: &str = "color:#17564f;overflow-wrap:anywhere";
const PARAGRAPH: &str = "margin:0 0 16px;overflow-wrap:anywhere";
const CODE: &str = "margin:8px 0 24px;padding:16px;border-radius:8px;background:#e2eeea;text-align:center;\
    font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:34px;line-height:1.2;font-weight:700;\
    letter-spacing:6px;-webkit-user-select:all;user-select:all";
const BUTTON: &str = "display:inline-block;padding:12px 24px;border-radius:8px;background:#17564f;color:#ffffff;\
    font-weight:600;text-decoration:none";
const SMALL: &str =
    "margin:0 0 16px;font-size:13px;color:#55625f;overflow-wrap:anywhere;word-break:break-word";
const SECRET: &str = "padding:2px 8px;border-radius:6px;background:#e2eeea;font-size:18px;font-weight:700;\
    font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;-webkit-user-select:all;user-select:all";
const LABEL: &str = "font-size:13px;color:#55625f";
const FOOTER: &str = "margin:20px 0 0;font-size:13px;color:#55625f;overflow-wrap:anywhere";
const DARK: &str = ":root{color-scheme:light dark;supported-color-schemes:light dark}\
    @media (prefers-color-scheme:dark){\
    .canvas{background:#101716!important;color:#e9eeec!important}\
    .card{background:#18211f!important;border-color:#2b3735!important}\
    .code{background:#1a3430!important}\
    .button{background:#86d3c5!important;color:#05231f!important}\
    .link{color:#86d3c5!important}\
    .quiet{color:#a4b1ae!important}}";

/// The doorway of the product: three cells one inside the other, each with the light behind it.
const DOORS: [&str; 3] = [
    "width:36px;height:36px;border-radius:9px;background:#17564f",
    "width:22px;height:26px;border-radius:11px 11px 0 0;background:#0e3f3a",
    "width:10px;height:18px;border-radius:5px 5px 0 0;background:#f5bd62",
];

/// The HTML page.
pub(super) fn html(page: &Page) -> String {
    // Outlook knows neither `start` nor that a table need not hand its middle on.
    let side = if is_rtl(page.locale) { "right" } else { "left" };
    // A line of Korean ends between words, as one of Latin letters does.
    let breaks = if page.locale == Locale::ko {
        ";word-break:keep-all"
    } else {
        ""
    };
    let column = format!("{COLUMN};text-align:{side}{breaks}");
    html! {
        (DOCTYPE)
        html lang=(tag(page.locale)) dir=(direction(page.locale)) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="supported-color-schemes" content="light dark";
                // Otherwise phones turn codes into telephone numbers and names into links.
                meta name="format-detection" content="telephone=no, date=no, address=no, email=no, url=no";
                title { (page.subject) }
                style { (PreEscaped(DARK)) }
            }
            body class="canvas" style=(CANVAS) {
                (table("100%", &html! {
                    td align="center" style=(AROUND) {
                        (PreEscaped("<!--[if mso]><table role=\"presentation\" width=\"560\"><tr><td><![endif]-->"))
                        // Some clients show only what is inside the body: language and direction are said again.
                        div class="canvas" lang=(tag(page.locale)) dir=(direction(page.locale)) style=(column) {
                            (brand(page))
                            (table("100%", &html! {
                                td class="card" style=(CARD) {
                                    @if page.heading { h1 style=(HEADING) { (page.subject) } }
                                    @for block in &page.blocks { (block_html(page.locale, block)) }
                                }
                            }))
                            p class="quiet" style=(FOOTER) { (page.footer) }
                        }
                        (PreEscaped("<!--[if mso]></td></tr></table><![endif]-->"))
                    }
                }))
            }
        }
    }
    .into_string()
}

/// One row, for the eye only.
fn table(width: &str, cells: &Markup) -> Markup {
    html! {
        table role="presentation" width=(width) cellpadding="0" cellspacing="0" border="0" { tr { (cells) } }
    }
}

/// The doorway, the product and the company.
fn brand(page: &Page) -> Markup {
    let door = DOORS.iter().rev().fold(html! {}, |inner, style| {
        html! { td align="center" valign="bottom" style=(style) { @if !inner.0.is_empty() { (table("auto", &inner)) } } }
    });
    html! {
        div style="padding:0 0 16px" {
            (table("auto", &html! {
                td aria-hidden="true" { (table("auto", &door)) }
                td style=(BRAND) {
                    (page.product)
                    @if !page.company.is_empty() {
                        br;
                        span class="quiet" style=(COMPANY) { (isolate(page.locale, &page.company)) }
                    }
                }
            }))
        }
    }
}

fn block_html(locale: Locale, block: &Block) -> Markup {
    html! {
        @match block {
            Block::Paragraph(words) => p style=(PARAGRAPH) { (words) },
            Block::Code(code) => p class="code" dir="ltr" translate="no" style=(CODE) { (code) },
            Block::Button { label, link } => {
                (button_for_outlook(label, link))
                (PreEscaped("<!--[if !mso]><!-->"))
                p style=(PARAGRAPH) { a class="button" href=(link.0) target="_blank" rel="noreferrer" style=(BUTTON) { (label) } }
                (PreEscaped("<!--<![endif]-->"))
                p class="quiet" style=(SMALL) { span dir="ltr" { (link.0) } }
            },
            Block::Facts(facts) => {
                @for (label, fact) in facts {
                    p style=(PARAGRAPH) {
                        span class="quiet" style=(LABEL) { (label) }
                        br;
                        (isolate(locale, fact))
                    }
                }
            },
            Block::ToCopy(facts) => {
                @for (label, fact) in facts {
                    p style=(PARAGRAPH) {
                        span class="quiet" style=(LABEL) { (label) }
                        br;
                        (copied_html(fact))
                    }
                }
            },
        }
    }
}

/// The button as Outlook for Windows draws it: it knows neither padding nor round corners of a link. An address holds no
/// `>`, so it cannot end the comment.
fn button_for_outlook(label: &str, link: &WebLink) -> Markup {
    let width = 64 + 11 * label.chars().count();
    let shape = html! {
        v:roundrect xmlns:v="urn:schemas-microsoft-com:vml" xmlns:w="urn:schemas-microsoft-com:office:word" href=(link.0)
            style=(format!("height:46px;width:{width}px;v-text-anchor:middle")) arcsize="17%" stroke="f" fillcolor="#17564f" {
            w:anchorlock {}
            center style="color:#ffffff;font-family:'Segoe UI',Arial,sans-serif;font-size:16px;font-weight:bold" { (label) }
        }
    };
    PreEscaped(format!("<!--[if mso]>{}<br><![endif]-->", shape.into_string()))
}

fn copied_html(fact: &Copied) -> Markup {
    html! {
        @match fact {
            Copied::Link(link) => {
                a class="link" dir="ltr" href=(link.0) target="_blank" rel="noreferrer" style=(LINK) { (link.0) }
            },
            Copied::Name(words) => bdi translate="no" { (words) },
            Copied::Secret(words) => span class="code" dir="ltr" translate="no" style=(SECRET) { (words) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(blocks: Vec<Block>) -> Page {
        let footer = "Sent by a test.".to_owned();
        Page {
            locale: Locale::en,
            product: "P",
            company: "C".to_owned(),
            subject: "S".to_owned(),
            heading: true,
            blocks,
            footer,
        }
    }

    #[test]
    fn text_is_wrapped_but_links_and_codes_are_not() {
        let link = format!("https://vestibule.test/{}", "a".repeat(100));
        let page = page(vec![
            Block::Paragraph("word ".repeat(40)),
            Block::Code("123456".to_owned()),
            Block::Button {
                label: "Go".to_owned(),
                link: WebLink::parse(&link).unwrap(),
            },
        ]);
        let text = text(&page);
        let lines: Vec<_> = text.lines().collect();
        assert!(lines.contains(&"123456") && lines.contains(&link.as_str()));
        assert!(
            lines
                .iter()
                .filter(|line| !line.starts_with("https"))
                .all(|line| line.len() <= TEXT_WIDTH),
            "{text}"
        );
        assert!(text.ends_with("\n\n-- \nSent by a test.\n"));
    }

    #[test]
    fn only_web_addresses_become_links() {
        for bad in [
            "",
            "javascript:alert(1)",
            "data:text/html,x",
            "/login",
            "vestibule.test",
            "mailto:a@b.test",
        ] {
            assert!(WebLink::parse(bad).is_none(), "{bad}");
        }
        assert_eq!(
            WebLink::parse("http://127.0.0.1:3000/login").unwrap().0,
            "http://127.0.0.1:3000/login"
        );
        assert_eq!(
            WebLink::parse("https://x.test/a\"b").unwrap().0,
            "https://x.test/a%22b"
        );
    }

    #[test]
    fn outlook_draws_a_button_of_its_own_that_leads_to_the_same_place() {
        let link = "https://x.test/a?b=--%3E&c=\"";
        let html = html(&page(vec![Block::Button {
            label: "Go <b>".to_owned(),
            link: WebLink::parse(link).unwrap(),
        }]));
        let (_, rest) = html.split_once("<!--[if mso]><v:roundrect").unwrap();
        let (shape, rest) = rest.split_once("<![endif]-->").unwrap();
        let href = "href=\"https://x.test/a?b=--%3E&amp;c=%22\"";
        assert!(shape.contains(href) && shape.contains("Go &lt;b&gt;"), "{shape}");
        assert!(!shape.contains("-->"), "{shape}");
        assert!(rest.starts_with("<!--[if !mso]><!--><p"), "{rest}");
    }

    #[test]
    fn text_in_html_is_escaped() {
        let html = html(&page(vec![Block::Facts(vec![(
            "<i>".to_owned(),
            "<img src=x>\"'&".to_owned(),
        )])]));
        assert!(!html.contains("<i>") && !html.contains("<img"), "{html}");
        assert!(html.contains("&lt;img src=x&gt;"), "{html}");
    }
}
