//! The list of all forms and pages.

use axum::{
    Extension, Router,
    extract::{DefaultBodyLimit, State},
    handler::Handler,
    routing::{MethodRouter, get, post},
};
use leptos::server_fn::ServerFn;
use serde::de::DeserializeOwned;
use vestibule_core::{paths, rights::Action};

use super::{
    Form, FormFields, FunctionPage, function,
    kept::{Restorable, restorable},
    language::{self, REFUSED_TEXT, Redisplay, SwitchLanguage, redisplay},
    names::names_of,
    receive::receive,
};
use crate::{
    http::{answer::see_other, facts::Facts, form_guard::FormRules},
    state::AppState,
};

/// The name that the language switch has inside a form.
const SHOWN_IN: &str = "shown_in";

/// What is asked for at an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// Method.
    pub method: &'static str,
    /// Route.
    pub path: &'static str,
    /// Who may come in is who may do this.
    pub action: Action,
    /// The fields of a form; everything else in it is refused (attacks.md T094, T160).
    pub fields: Vec<&'static str>,
    /// Whether it is an endpoint of a protocol, which reads by itself what other sites and programs post to it.
    pub open: bool,
}

/// Forms and pages, each with its right. What a form may send is taken from its type.
#[derive(Default)]
pub struct Routes {
    router: Router<AppState>,
    uploads: Vec<(&'static str, usize)>,
    switched: Vec<Redisplay>,
    switched_fields: Vec<&'static str>,
    restorable: Vec<Restorable>,
    access: Vec<Access>,
}

/// All routes, put together.
pub struct Finished {
    /// The router.
    pub router: Router<AppState>,
    /// What its forms may send.
    pub forms: FormRules,
    /// The forms that are shown again with what was kept of them.
    pub restorable: Vec<Restorable>,
    /// Where other sites and programs may post to.
    pub open: Vec<&'static str>,
}

impl Routes {
    /// Adds a page.
    #[must_use]
    pub fn page<H, T>(mut self, path: &'static str, action: Action, handler: H) -> Self
    where
        H: Handler<T, AppState>,
        T: 'static,
    {
        self.add("GET", path, action, Vec::new());
        self.router = self.router.route(path, get(handler));
        self
    }

    /// Adds a form.
    #[must_use]
    pub fn form<F: Form>(mut self) -> Self {
        let mut names = names_of::<F>().to_vec();
        if F::SWITCHED {
            self.switched.push(redisplay::<F>);
            self.switched_fields.extend(&names);
            // The switch stands in the form.
            names.extend([SHOWN_IN, REFUSED_TEXT]);
        }
        if F::KEPT {
            self.restorable.push(restorable::<F>());
        }
        self.add("POST", F::PATH, F::ACTION, names);
        self.router = self.router.route(F::PATH, post(receive::<F>));
        if let Some(page) = F::OPENED {
            self.router = self
                .router
                .route(F::PATH, get(move || std::future::ready(see_other(page))));
        }
        self
    }

    /// Adds a server function, which `P` shows again without scripts.
    #[must_use]
    pub fn function<F, P>(self, action: Action) -> Self
    where
        F: ServerFn + DeserializeOwned,
        P: FunctionPage,
    {
        let names: Vec<&'static str> = names_of::<F>().iter().chain(P::KEPT).copied().collect();
        self.other(F::PATH, action, &names, function::call::<P>)
    }

    /// Adds something that a browser sends and that is no [`Form`]; `names` are its fields.
    #[must_use]
    pub fn other<H, T>(
        mut self,
        path: &'static str,
        action: Action,
        names: &[&'static str],
        handler: H,
    ) -> Self
    where
        H: Handler<T, AppState>,
        T: 'static,
    {
        self.add("POST", path, action, names.to_vec());
        self.router = self.router.route(path, post(handler));
        self
    }

    /// Adds an address that takes files of up to `most` bytes in all; its handler reads them.
    #[must_use]
    pub fn upload<H, T>(mut self, path: &'static str, action: Action, most: usize, handler: H) -> Self
    where
        H: Handler<T, AppState>,
        T: 'static,
    {
        self.add("POST", path, action, Vec::new());
        self.uploads.push((path, most));
        let handler = post(handler).layer(DefaultBodyLimit::max(most));
        self.router = self.router.route(path, handler);
        self
    }

    /// Adds an endpoint of a protocol: other sites and programs may post to it, and its handler reads what they send.
    #[must_use]
    pub fn endpoint(
        mut self,
        path: &'static str,
        action: Action,
        methods: &[&'static str],
        handler: MethodRouter<AppState>,
    ) -> Self {
        for method in methods {
            self.access.push(Access {
                method,
                path,
                action,
                fields: Vec::new(),
                open: true,
            });
        }
        self.router = self.router.route(path, handler);
        self
    }

    /// Adds the forms and pages of a room.
    #[must_use]
    pub fn room(self, room: impl FnOnce(Self) -> Self) -> Self {
        room(self)
    }

    /// The language switch, which knows all forms added so far.
    #[must_use]
    pub fn language(mut self) -> Self {
        let forms = self.switched.clone();
        let mut names = names_of::<SwitchLanguage>().to_vec();
        names.push(REFUSED_TEXT);
        names.append(&mut self.switched_fields);
        let switch =
            move |State(state): State<AppState>, facts: Facts, fields: Option<Extension<FormFields>>| {
                let fields = fields.map(|Extension(fields)| fields).unwrap_or_default();
                language::switch(state, facts, fields, forms)
            };
        self.other(paths::LANGUAGE, Action::ComeIn, &names, switch)
    }

    /// Who may come in where.
    pub fn access(&self) -> &[Access] {
        &self.access
    }

    fn add(&mut self, method: &'static str, path: &'static str, action: Action, fields: Vec<&'static str>) {
        self.access.push(Access {
            method,
            path,
            action,
            fields,
            open: false,
        });
    }

    /// Puts them together.
    pub fn finish(self) -> Finished {
        let open = self
            .access
            .iter()
            .filter(|access| access.open)
            .map(|access| access.path);
        let is_upload = |path| self.uploads.iter().any(|(upload, _)| *upload == path);
        let forms = self.access.iter().filter(|access| access.method == "POST");
        let rules: FormRules = forms
            .filter(|form| !form.open && !is_upload(form.path))
            .map(|form| (form.path, form.fields.clone()))
            .collect();
        let rules = self
            .uploads
            .iter()
            .fold(rules, |rules, &(path, most)| rules.with_upload(path, most));
        Finished {
            router: self.router,
            forms: rules,
            restorable: self.restorable,
            open: open.collect(),
        }
    }
}
