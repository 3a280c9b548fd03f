//! Commands about applications. A secret is printed once, when it is made.

use serde::Serialize;
use vestibule_core::{
    account::Role,
    id::CompanyId,
    oidc::application::{Application, ApplicationInput},
    ports::Moment,
    secret::Token,
};
use vestibule_service::{Service, operator::OperatorError};

use super::{
    ApplicationArguments, ApplicationCommand, Refused, Streams,
    acts::{open_service, refused},
    output,
};
use crate::config::Config;

/// An application in JSON, for programs. The names are those of the standards.
#[derive(Serialize)]
pub(super) struct ApplicationView<'a> {
    client_id: String,
    /// Only when it was made just now.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
    name: &'a str,
    kind: &'static str,
    company_id: Option<CompanyId>,
    redirect_uris: &'a [String],
    post_logout_redirect_uris: &'a [String],
    backchannel_logout_uri: Option<&'a str>,
    launch_uri: Option<&'a str>,
    roles: Vec<&'static str>,
    id_token_signed_response_alg: &'static str,
    issuer: &'a str,
    created_at: Moment,
    last_used_at: Option<Moment>,
}

impl<'a> ApplicationView<'a> {
    /// With the secret that was made just now, if one was.
    pub(super) fn of(application: &'a Application, secret: Option<&Token>, issuer: &'a str) -> Self {
        let settings = &application.settings;
        Self {
            client_id: application.id.to_string(),
            client_secret: secret.map(Token::reveal),
            name: &settings.name,
            kind: settings.kind.as_str(),
            company_id: application.company,
            redirect_uris: &settings.redirect_uris,
            post_logout_redirect_uris: &settings.logout_uris,
            backchannel_logout_uri: settings.back_channel_uri.as_deref(),
            launch_uri: settings.launch_uri.as_deref(),
            roles: settings.roles.iter().map(|role| role.as_str()).collect(),
            id_token_signed_response_alg: settings.signing.as_str(),
            issuer,
            created_at: application.created_at,
            last_used_at: application.last_used_at,
        }
    }
}

/// Commands about applications.
pub(super) async fn application(
    config: &Config,
    command: ApplicationCommand,
    streams: &mut Streams<'_>,
) -> Result<(), Refused> {
    let service = open_service(config).await?;
    let result = act(&service, command, streams).await;
    service.store().close().await;
    result
}

async fn act(
    service: &Service,
    command: ApplicationCommand,
    streams: &mut Streams<'_>,
) -> Result<(), Refused> {
    match command {
        ApplicationCommand::Create { application, json } => create(service, application, json, streams).await,
        ApplicationCommand::List { company, json } => {
            let found = service.operator().applications(company.as_deref()).await;
            let found = found.map_err(|error| told(company.as_deref(), &error))?;
            list(service, &found, json, streams)
        }
        ApplicationCommand::Rotate { id, json } => {
            let secret = service.operator().rotate_application_secret(&id).await;
            let secret = secret.map_err(|error| told(None, &error))?;
            if json {
                let view = serde_json::json!({ "client_id": id, "client_secret": secret.reveal() });
                writeln!(streams.output, "{view:#}")?;
            } else {
                let answer = "The secret before it stays good for 24 hours; it is not shown again";
                writeln!(streams.output, "New secret: {}\n{answer}.", secret.reveal())?;
            }
            Ok(())
        }
        ApplicationCommand::Delete { id, json } => {
            let deleted = service.operator().delete_application(&id).await;
            let deleted = deleted.map_err(|error| told(None, &error))?;
            if json {
                let view = ApplicationView::of(&deleted, None, service.issuer().issuer());
                output::json_object(streams.output, &view)?;
            } else {
                let name = &deleted.settings.name;
                writeln!(
                    streams.output,
                    "Deleted the application {name:?}: nobody is signed in to it by Vestibule any more."
                )?;
            }
            Ok(())
        }
    }
}

fn told(company: Option<&str>, error: &OperatorError) -> Refused {
    refused(company.unwrap_or_default(), "", error)
}

async fn create(
    service: &Service,
    arguments: ApplicationArguments,
    json: bool,
    streams: &mut Streams<'_>,
) -> Result<(), Refused> {
    let ApplicationArguments {
        company,
        name,
        kind,
        redirect_uri,
        logout_uri,
        back_channel_uri,
        launch_uri,
        roles,
        signing,
        installation: _,
    } = arguments;
    let roles = if roles.is_empty() {
        Role::ALL.to_vec()
    } else {
        roles
    };
    let input = ApplicationInput {
        name,
        kind: kind.as_str().to_owned(),
        redirect_uris: redirect_uri.join("\n"),
        logout_uris: logout_uri.join("\n"),
        back_channel_uri: back_channel_uri.unwrap_or_default(),
        launch_uri: launch_uri.unwrap_or_default(),
        roles: roles.iter().map(|role| role.as_str().to_owned()).collect(),
        signing: signing.as_str().to_owned(),
    };
    let added = service
        .operator()
        .add_application(company.as_deref(), &input)
        .await;
    let added = added.map_err(|error| told(company.as_deref(), &error))?;
    let issuer = service.issuer().issuer();
    let view = ApplicationView::of(&added.application, added.secret.as_ref(), issuer);
    if json {
        output::json_object(streams.output, &view)?;
        return Ok(());
    }
    writeln!(streams.output, "Created the application {:?}.", view.name)?;
    writeln!(
        streams.output,
        "Issuer:     {issuer}\nClient ID:  {}",
        view.client_id
    )?;
    if let Some(secret) = &view.client_secret {
        writeln!(
            streams.output,
            "Secret:     {secret}\nThe secret is not shown again."
        )?;
    }
    Ok(())
}

fn list(
    service: &Service,
    applications: &[Application],
    json: bool,
    streams: &mut Streams<'_>,
) -> Result<(), Refused> {
    let issuer = service.issuer().issuer();
    let views: Vec<_> = applications
        .iter()
        .map(|application| ApplicationView::of(application, None, issuer))
        .collect();
    if json {
        output::json(streams.output, &views)?;
    } else if views.is_empty() {
        writeln!(
            streams.output,
            "There is no application yet: `vestibule application create --help`"
        )?;
    } else {
        let rows = views.iter().map(|view| {
            [
                view.name.to_owned(),
                view.kind.to_owned(),
                view.client_id.clone(),
                view.roles.join(", "),
                view.last_used_at.map_or_else(
                    || "never".to_owned(),
                    |used| used.format("%Y-%m-%d %H:%M UTC").to_string(),
                ),
            ]
        });
        output::table(
            streams.output,
            ["NAME", "KIND", "CLIENT ID", "ROLES", "LAST USED"],
            rows,
        )?;
    }
    Ok(())
}
