//! The few things islands ask of the browser. Nothing here is called on the server.

use js_sys::{Array, Reflect, encode_uri_component};
use leptos::{
    prelude::{document, location, request_animation_frame, window},
    task::spawn_local,
};
use server_fn::ServerFn;
use vestibule_core::refusal::{Field, Refusal};
#[cfg(target_arch = "wasm32")]
use vestibule_translations::learn;
use vestibule_translations::{Locale, direction, from_tag, tag};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Element, Event, FormData, Headers, HtmlDocument, HtmlElement, HtmlFormElement, HtmlInputElement,
    InputEvent, MouseEvent, RequestInit, Response, SubmitEvent, UrlSearchParams, VisibilityState,
};

use crate::{
    facts::{Json, Read},
    functions::Refused,
};

/// Calls a server function with the fields of `form`: the request the browser would make itself, but asking for JSON.
///
/// # Errors
/// What the server function refused with; an internal error without a reference when no answer came.
pub async fn call<F>(form: Option<&HtmlFormElement>) -> Result<F::Output, Refusal>
where
    F: ServerFn<Error = Refused>,
    F::Output: Read,
{
    let no_answer = || Refusal::Internal {
        reference: String::new(),
    };
    let (accepted, json) = fetch(F::PATH, form).await.map_err(|_| no_answer())?;
    if accepted {
        F::Output::read(&json).ok_or_else(no_answer)
    } else {
        Err(Refusal::read(&json).unwrap_or_else(no_answer))
    }
}

/// Posts, and gives whether the server accepted and what it answered.
async fn fetch(path: &str, form: Option<&HtmlFormElement>) -> Result<(bool, JsValue), JsValue> {
    let fields: JsValue = match form {
        Some(form) => FormData::new_with_form(form)?.into(),
        None => JsValue::UNDEFINED,
    };
    let headers = Headers::new()?;
    headers.set("accept", "application/json")?;
    let request = RequestInit::new();
    request.set_method("POST");
    request.set_headers(&headers);
    request.set_body(UrlSearchParams::new_with_str_sequence_sequence(&fields)?.as_ref());
    let response: Response = JsFuture::from(window().fetch_with_str_and_init(path, &request))
        .await?
        .unchecked_into();
    Ok((response.ok(), JsFuture::from(response.json()?).await?))
}

/// The facts that the server wrote into the page. With them come the texts of its language.
#[cfg(target_arch = "wasm32")]
pub fn facts() -> Option<JsValue> {
    learn(of_body("data-texts")?)?;
    js_sys::JSON::parse(&of_body("data-facts")?).ok()
}

/// What the server wrote beside the page.
fn of_body(name: &str) -> Option<String> {
    document().body()?.get_attribute(name)
}

/// The language with this tag, fetched when its texts are not here yet; `None` when they do not arrive.
pub async fn language(wanted: &str) -> Option<Locale> {
    if let Some(known) = from_tag(wanted) {
        return Some(known);
    }
    let (_, address) = languages().into_iter().find(|(tag, _)| tag == wanted)?;
    let response: Response = JsFuture::from(window().fetch_with_str(&address))
        .await
        .ok()?
        .unchecked_into();
    let texts = JsFuture::from(response.text().ok()?).await.ok()?.as_string()?;
    learn(texts).filter(|learned| tag(*learned) == wanted)
}

/// Begins to fetch the texts of every language: one of them is about to be chosen.
pub fn fetch_languages() {
    for (tag, _) in languages() {
        spawn_local(async move {
            // One that does not arrive is fetched again when it is chosen.
            language(&tag).await;
        });
    }
}

/// The tags of all languages, and where their texts are.
fn languages() -> Vec<(String, String)> {
    let all = of_body("data-languages").unwrap_or_default();
    all.split(' ')
        .filter_map(|pair| pair.split_once('='))
        .map(|(tag, address)| (tag.to_owned(), address.to_owned()))
        .collect()
}

/// On the server no language has to arrive.
#[cfg(not(target_arch = "wasm32"))]
fn learn(_: String) -> Option<Locale> {
    None
}

impl Json for JsValue {
    fn member(&self, name: &str) -> Self {
        Reflect::get(self, &name.into()).unwrap_or_default()
    }

    fn text(&self) -> Option<String> {
        self.as_string()
    }

    fn number(&self) -> Option<f64> {
        self.as_f64()
    }

    fn is_true(&self) -> bool {
        self.as_bool() == Some(true)
    }

    fn elements(&self) -> Vec<Self> {
        Array::from(self).to_vec()
    }
}

/// The form that is being sent, kept from leaving the page.
pub fn keep(event: &SubmitEvent) -> Option<HtmlFormElement> {
    event.prevent_default();
    event.target()?.dyn_into().ok()
}

/// Goes to a page of this site; `Back` does not return to the form.
pub fn leave_for(path: &str) {
    // A browser that refuses to go leaves the form as it is, ready to be sent again.
    let _ = location().replace(path);
}

/// What stands in the input with this id.
pub fn value(id: &str) -> String {
    input(id).map(|input| input.value()).unwrap_or_default()
}

/// Whether an input is not finished yet: the keyboard composes, as those of Japanese and Chinese do.
pub fn is_composing(event: &Event) -> bool {
    // What a password manager writes is announced by a plain event, which has no such property and is finished.
    event.unchecked_ref::<InputEvent>().is_composing()
}

/// Lets the link that was followed lead to `path` with the company that stands in the form.
pub fn add_company(event: &MouseEvent, path: &str) {
    let link = event
        .target()
        .and_then(|target| target.dyn_into::<Element>().ok());
    if let Some(link) = link {
        let company = String::from(encode_uri_component(&value(Field::Company.name())));
        let _ = link.set_attribute("href", &[path, "?company=", &company].concat());
    }
}

/// Writes into the input with this id.
pub fn set_value(id: &str, value: &str) {
    if let Some(input) = input(id) {
        input.set_value(value);
    }
}

/// The ids that are asked for are those of our fields; a `select` has a value as an input has one.
fn input(id: &str) -> Option<HtmlInputElement> {
    Some(document().get_element_by_id(id)?.unchecked_into())
}

/// Says of the input with this id whether it `is` so: the attribute is there, or it is not.
pub fn mark(id: &str, attribute: &str, is: bool) {
    if let Some(input) = input(id) {
        let _ = input.toggle_attribute_with_force(attribute, is);
    }
}

/// Moves the focus to the element with this id once the page shows the latest state.
pub fn focus_soon(id: &'static str) {
    request_animation_frame(move || {
        if let Some(element) = document().get_element_by_id(id) {
            let _ = element.unchecked_into::<HtmlElement>().focus();
        }
    });
}

/// Milliseconds since this page began to load; never goes back, whatever happens to the computer's clock.
pub fn now() -> f64 {
    window()
        .performance()
        .map_or(0.0, |performance| performance.now())
}

/// Whether somebody can see the page.
pub fn is_visible() -> bool {
    document().visibility_state() == VisibilityState::Visible
}

/// Makes the whole document say which language and direction it is in now.
pub fn name_language(locale: Locale, title: &str) {
    let document = document();
    if let Some(root) = document.document_element() {
        let _ = root.set_attribute("lang", tag(locale));
        let _ = root.set_attribute("dir", direction(locale));
    }
    document.set_title(&[title, " · ", crate::components::PRODUCT].concat());
}

/// Remembers the language in this browser for a year, in the cookie that the server reads.
pub fn remember_language(locale: Locale) {
    let secure = location().protocol().is_ok_and(|protocol| protocol == "https:");
    let (name, flag) = if secure {
        ("__Host-language=", "; secure")
    } else {
        ("language=", "")
    };
    let cookie = [
        name,
        tag(locale),
        "; path=/; max-age=31536000; samesite=lax",
        flag,
    ]
    .concat();
    let _ = document().unchecked_into::<HtmlDocument>().set_cookie(&cookie);
}
