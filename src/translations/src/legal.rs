//! The legal texts that ship with Vestibule, and Markdown as harmless HTML.

use std::borrow::Cow;

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};
use rust_embed::RustEmbed;
use url::Url;

use crate::{Locale, tag};

/// `locales/<language>/*.md`, inside the binary.
#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../../locales"]
#[include = "*/*.md"]
struct Texts;

/// Which legal text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Terms of Service.
    Terms,
    /// Privacy Policy.
    Privacy,
}

impl Kind {
    const fn file(self) -> &'static str {
        match self {
            Self::Terms => "terms.md",
            Self::Privacy => "privacy.md",
        }
    }
}

/// The shipped Markdown of a legal text and the language it is in: English when `locale` has none.
pub fn text(kind: Kind, locale: Locale) -> (Locale, Cow<'static, str>) {
    let own = shipped(kind, tag(locale)).map(|text| (locale, text));
    own.or_else(|| shipped(kind, tag(Locale::en)).map(|text| (Locale::en, text)))
        .unwrap_or_default()
}

fn shipped(kind: Kind, language: &str) -> Option<Cow<'static, str>> {
    let file = Texts::get(&format!("{language}/{}", kind.file()))?;
    match file.data {
        Cow::Borrowed(bytes) => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
        Cow::Owned(bytes) => String::from_utf8(bytes).ok().map(Cow::Owned),
    }
}

/// `CommonMark` as HTML that may stand in a page, whoever wrote it: HTML in it becomes visible text, a link that does
/// not lead to `http`, `https`, `mailto` or a place relative to the page becomes its text, a picture its description.
/// A byte order mark before it, which some editors write, is no part of it.
pub fn to_html(markdown: &str) -> String {
    let markdown = markdown.strip_prefix('\u{feff}').unwrap_or(markdown);
    // Whether each link around the current place stays one.
    let mut links: Vec<bool> = Vec::new();
    let events = Parser::new_ext(markdown, Options::empty()).filter_map(|event| match event {
        Event::Html(source) | Event::InlineHtml(source) => Some(Event::Text(source)),
        Event::Start(Tag::HtmlBlock) => Some(Event::Start(Tag::Paragraph)),
        Event::End(TagEnd::HtmlBlock) => Some(Event::End(TagEnd::Paragraph)),
        Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => None,
        Event::Start(Tag::Link { ref dest_url, .. }) => {
            links.push(leads_somewhere_harmless(dest_url));
            links.last().is_some_and(|stays| *stays).then_some(event)
        }
        Event::End(TagEnd::Link) => links.pop().unwrap_or_default().then_some(event),
        event => Some(event),
    });
    let mut page = String::with_capacity(markdown.len() * 2);
    html::push_html(&mut page, events);
    page
}

/// Reads an address as a browser would: it drops tabs, line ends and leading blanks before it looks for a scheme.
fn leads_somewhere_harmless(address: &CowStr<'_>) -> bool {
    let Ok(here) = Url::parse("https://vestibule.invalid/") else {
        return false;
    };
    here.join(address)
        .is_ok_and(|address| matches!(address.scheme(), "http" | "https" | "mailto"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::all;

    const KINDS: [Kind; 2] = [Kind::Terms, Kind::Privacy];

    #[test]
    fn every_language_has_its_own_legal_texts() {
        for locale in all() {
            for kind in KINDS {
                let (said_in, text) = text(kind, *locale);
                assert_eq!(said_in, *locale);
                assert!(to_html(&text).starts_with("<h1>"), "{locale} {kind:?}");
            }
        }
        assert!(
            text(Kind::Terms, Locale::en)
                .1
                .starts_with("# Terms of Service\n")
        );
        assert!(
            text(Kind::Privacy, Locale::de)
                .1
                .starts_with("# Datenschutzerklärung\n")
        );
    }

    #[test]
    fn a_language_without_a_text_has_none() {
        for language in ["xx", "", "..", "../en", "/etc"] {
            assert_eq!(shipped(Kind::Terms, language), None, "{language}");
        }
    }

    #[test]
    fn only_the_texts_are_embedded() {
        assert!(Texts::iter().all(|name| name.ends_with(".md")));
        // Those of drafts are there too, and nobody is shown them.
        assert!(Texts::iter().count() >= all().len() * KINDS.len());
    }

    #[test]
    fn ordinary_markdown_is_ordinary_html() {
        assert_eq!(
            to_html(
                "# Title\n\nSome *text* & `code`.\n\n- one\n- [two](https://example.org/?a=1&b=2 \"T\")\n"
            ),
            "<h1>Title</h1>\n<p>Some <em>text</em> &amp; <code>code</code>.</p>\n<ul>\n<li>one</li>\n\
             <li><a href=\"https://example.org/?a=1&amp;b=2\" title=\"T\">two</a></li>\n</ul>\n"
        );
    }

    #[test]
    fn harmless_links_stay() {
        for address in [
            "https://example.org",
            "HTTP://example.org/",
            "mailto:privacy@example.org",
            "/privacy",
            "privacy",
            "../terms?x=1",
            "#cookies",
            "//example.org/",
        ] {
            assert!(
                to_html(&format!("[text]({address})")).contains("<a href="),
                "{address}"
            );
        }
        assert!(to_html("<https://example.org>").contains("<a href=\"https://example.org\""));
        assert!(to_html("<privacy@example.org>").contains("<a href=\"mailto:privacy@example.org\""));
    }

    #[test]
    fn dangerous_links_become_text() {
        for address in [
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            "javascript&colon;alert(1)",
            "&#106;avascript:alert(1)",
            "java&#9;script:alert(1)",
            "java&#10;script:alert(1)",
            "java&NewLine;script:alert(1)",
            "java&Tab;script:alert(1)",
            "&#1;javascript:alert(1)",
            "&#32;javascript:alert(1)",
            "<java\tscript:alert(1)>",
            "vbscript:msgbox(1)",
            "data:text/html;base64,PHNjcmlwdD4=",
            "blob:https://example.org/1",
            "file:///etc/passwd",
            "view-source:https://example.org",
            "intent://x#Intent;end",
            "https://[bad",
        ] {
            for markdown in [
                format!("[text]({address})"),
                format!("[text]({address} \"title\")"),
                format!("[text][1]\n\n[1]: {address}\n"),
                format!("[![text](x.png)]({address})"),
            ] {
                let page = to_html(&markdown);
                assert!(
                    !page.contains("<a") && !page.contains("href"),
                    "{markdown} -> {page}"
                );
                assert!(page.contains("text"), "{markdown} -> {page}");
            }
        }
        let page = to_html("<javascript:alert(1)>");
        assert_eq!(page, "<p>javascript:alert(1)</p>\n");
    }

    #[test]
    fn html_becomes_visible_text() {
        for markdown in [
            "<script>alert(1)</script>",
            "a <script>alert(1)</script> b",
            "<img src=x onerror=alert(1)>",
            "a <img src=x onerror=alert(1)> b",
            "<div>\n\n*text*\n\n</div>",
            "<!-- comment --> <svg/onload=alert(1)>",
            "<![CDATA[<b>]]>",
            "<?php echo 1 ?>",
            "<!DOCTYPE html>",
            "<style>body{display:none}</style>",
            "- <iframe src=//example.org>\n\n> <textarea>",
            "<a href=\"javascript:alert(1)\">x</a>",
            "# <b onclick=alert(1)>x</b>",
            "`<b>`\n\n    <b>\n\n```<script>\n<b>\n```",
        ] {
            let page = to_html(markdown);
            let known = ["p", "h1", "em", "ul", "li", "blockquote", "pre", "code"];
            for opened in page.split('<').skip(1) {
                let name = opened
                    .trim_start_matches('/')
                    .split(['>', ' ', '\n'])
                    .next()
                    .unwrap_or_default();
                assert!(known.contains(&name), "{markdown} -> {page}");
            }
            assert!(page.contains("&lt;"), "{markdown} -> {page}");
        }
        assert_eq!(to_html("<b>\nx</b>"), "<p>&lt;b&gt;\nx&lt;/b&gt;</p>\n");
    }

    #[test]
    fn attributes_cannot_be_broken_out_of() {
        let page = to_html("[x](https://example.org/\"onclick=alert(1) \"a\\\" onfocus=alert(1)\")");
        assert!(
            !page.contains("\"onclick") && !page.contains("\" onfocus"),
            "{page}"
        );
        let page = to_html("```x\" onclick=\"alert(1)\ncode\n```");
        assert!(!page.contains("\" onclick"), "{page}");
    }

    #[test]
    fn pictures_become_their_description() {
        assert_eq!(
            to_html("![our *logo*](https://example.org/x.png)"),
            "<p>our <em>logo</em></p>\n"
        );
        assert_eq!(to_html("![a [b](javascript:x) c](d)"), "<p>a b c</p>\n");
    }

    #[test]
    fn deep_nesting_is_harmless() {
        for part in ["> ", "[", "![", "*a **b ", "<", "- ", "`", "&#", "[](", "<a "] {
            let _ = to_html(&part.repeat(20_000 / part.len()));
        }
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_text() {
        assert_eq!(to_html("\u{feff}# Terms\n"), "<h1>Terms</h1>\n");
    }
}
