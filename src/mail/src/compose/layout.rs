//! The one layout of all mails: blocks, written once as plain text and once as HTML.
//!
//! The HTML has no script, no picture and no address it loads anything from; the only link is the one thing to do next.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use textwrap::{Options, WordSplitter};
use url::Url;

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
    /// Language tag.
    pub(super) language: &'static str,
    /// `ltr` or `rtl`.
    pub(super) direction: &'static str,
    /// The product's name.
    pub(super) product: &'static str,
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
                .map(|(label, fact)| format!("{label}: {fact}"))
                .collect::<Vec<_>>()
                .join("\n"),
            Block::ToCopy(facts) => {
                // Marks of direction would be copied along: from right to left, each stands alone on its line instead.
                let gap = if page.direction == "rtl" { '\n' } else { ' ' };
                facts
                    .iter()
                    .map(|(label, fact)| format!("{label}:{gap}{}", fact.words()))
                    .collect::<Vec<_>>()
                    .join("\n")
            }
        })
        .collect();
    // Mail clients know this line as the start of a signature and show what follows less loudly.
    parts.push(format!("-- \n{}", wrap(&page.footer)));
    parts.join("\n\n") + "\n"
}

fn wrap(words: &str) -> String {
    let options = Options::new(TEXT_WIDTH)
        .break_words(false)
        .word_splitter(WordSplitter::NoHyphenation);
    textwrap::fill(words, options)
}

// Colours stand in style attributes, because some clients drop style elements; the style element only repaints them
// for dark screens. All pairs have a contrast of at least 4.5 to 1.
const CANVAS: &str = "margin:0;padding:0;background:#f3f4f7;color:#1b2230";
const COLUMN: &str = "max-width:560px;margin:0 auto;padding:32px 16px;font-size:16px;line-height:1.55;\
    font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',Helvetica,Arial,sans-serif";
const BRAND: &str = "margin:0 0 16px;font-size:15px;font-weight:600;color:#4a5365";
const CARD: &str = "background:#ffffff;border:1px solid #dfe3ea;border-radius:12px;padding:24px 28px";
const HEADING: &str = "margin:8px 0 16px;font-size:22px;line-height:1.3;font-weight:600";
const LINK: &str = "color:#2850c8;overflow-wrap:anywhere";
const PARAGRAPH: &str = "margin:0 0 16px;overflow-wrap:anywhere";
const CODE: &str = "margin:8px 0 24px;padding:16px;border-radius:8px;background:#eef1f6;text-align:center;\
    font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:34px;line-height:1.2;font-weight:700;\
    letter-spacing:6px;-webkit-user-select:all;user-select:all";
const BUTTON: &str = "display:inline-block;padding:12px 24px;border-radius:8px;background:#2850c8;color:#ffffff;\
    font-weight:600;text-decoration:none";
const SMALL: &str =
    "margin:0 0 16px;font-size:13px;color:#4a5365;overflow-wrap:anywhere;word-break:break-word";
const SECRET: &str = "padding:2px 8px;border-radius:6px;background:#eef1f6;font-size:18px;font-weight:700;\
    font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;-webkit-user-select:all;user-select:all";
const LABEL: &str = "font-size:13px;color:#4a5365";
const FOOTER: &str = "margin:20px 0 0;font-size:13px;color:#4a5365;overflow-wrap:anywhere";
const DARK: &str = ":root{color-scheme:light dark;supported-color-schemes:light dark}\
    @media (prefers-color-scheme:dark){\
    .canvas{background:#10141c!important;color:#e7ebf2!important}\
    .card{background:#1a202b!important;border-color:#323b4a!important}\
    .code{background:#262e3c!important}\
    .button{background:#9db8ff!important;color:#0d1628!important}\
    .link{color:#9db8ff!important}\
    .quiet{color:#aab4c4!important}}";

/// The HTML page.
pub(super) fn html(page: &Page) -> String {
    html! {
        (DOCTYPE)
        html lang=(page.language) dir=(page.direction) {
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
                // Some clients show only what is inside the body: language and direction are said again.
                div class="canvas" lang=(page.language) dir=(page.direction) style=(COLUMN) {
                    p class="quiet" style=(BRAND) { (page.product) }
                    div class="card" style=(CARD) {
                        @if page.heading { h1 style=(HEADING) { (page.subject) } }
                        @for block in &page.blocks { (block_html(block)) }
                    }
                    p class="quiet" style=(FOOTER) { (page.footer) }
                }
            }
        }
    }
    .into_string()
}

fn block_html(block: &Block) -> Markup {
    html! {
        @match block {
            Block::Paragraph(words) => p style=(PARAGRAPH) { (words) },
            Block::Code(code) => p class="code" dir="ltr" translate="no" style=(CODE) { (code) },
            Block::Button { label, link } => {
                p style=(PARAGRAPH) { a class="button" href=(link.0) target="_blank" rel="noreferrer" style=(BUTTON) { (label) } }
                p class="quiet" style=(SMALL) { span dir="ltr" { (link.0) } }
            },
            Block::Facts(facts) => {
                @for (label, fact) in facts {
                    p style=(PARAGRAPH) {
                        span class="quiet" style=(LABEL) { (label) }
                        br;
                        (fact)
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
            language: "en",
            direction: "ltr",
            product: "P",
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
    fn text_in_html_is_escaped() {
        let html = html(&page(vec![Block::Facts(vec![(
            "<i>".to_owned(),
            "<img src=x>\"'&".to_owned(),
        )])]));
        assert!(!html.contains("<i>") && !html.contains("<img"), "{html}");
        assert!(html.contains("&lt;img src=x&gt;"), "{html}");
    }
}
