//! `/oauth`: the OpenID provider. Browsers come to the authorization and the end-session endpoint; applications themselves
//! speak to the others. An address that no application has named is never led to.

mod authorize;
mod documents;
mod endpoints;
pub mod going;
mod logout;

use axum::{
    extract::DefaultBodyLimit,
    routing::{MethodRouter, get, post},
};
use vestibule_core::{limits::BODY_MAX, paths, rights::Action};

use crate::{form::Routes, state::AppState};

/// All endpoints of the protocol, and the pages between them.
pub fn routes(routes: Routes) -> Routes {
    let endpoint = |routes: Routes, path, handler: MethodRouter<AppState>, methods: &[&'static str]| {
        let handler = handler.layer(DefaultBodyLimit::max(BODY_MAX));
        routes.endpoint(path, Action::ComeIn, methods, handler)
    };
    let get_only = &["GET"][..];
    let post_only = &["POST"][..];
    let both = &["GET", "POST"][..];
    let opened = |handler: MethodRouter<AppState>| handler.options(documents::preflight);
    let routes = [
        (
            paths::OPENID_CONFIGURATION,
            opened(get(documents::discovery)),
            get_only,
        ),
        (paths::OAUTH_SERVER, opened(get(documents::discovery)), get_only),
        (paths::OAUTH_KEYS, opened(get(documents::keys)), get_only),
        (
            paths::OAUTH_AUTHORIZE,
            get(authorize::authorize).post(authorize::authorize_posted),
            both,
        ),
        (paths::OAUTH_TOKEN, opened(post(endpoints::token)), post_only),
        (
            paths::OAUTH_USERINFO,
            opened(get(endpoints::userinfo).post(endpoints::userinfo_posted)),
            both,
        ),
        (paths::OAUTH_INTROSPECT, post(endpoints::introspect), post_only),
        (paths::OAUTH_REVOKE, opened(post(endpoints::revoke)), post_only),
        (
            paths::OAUTH_LOGOUT,
            get(logout::logout).post(logout::logout_posted),
            both,
        ),
    ]
    .into_iter()
    .fold(routes, |routes, (path, handler, methods)| {
        endpoint(routes, path, handler, methods)
    });
    routes
        .page(paths::OAUTH_RESUME, Action::ComeIn, authorize::resume)
        .form::<authorize::Choose>()
        .form::<logout::SignOutAgreed>()
}
