//! Companies' own mail servers.

use vestibule_core::mail_server::MailSecurity;
use vestibule_storage::{MailServerRow, test_support::TestStore};

use crate::fixture::{Maker, alice, at, mail_server, write};

pub async fn a_mail_server_is_saved_once_per_version(store: &TestStore) {
    let maker = Maker::new();
    let company = alice(store, &maker).await.company;
    let first = mail_server(company);
    write(store, async |writer| {
        assert_eq!(writer.mail_server(company).await?, None);
        assert!(!writer.put_mail_server(&first, Some(1)).await?, "there is none");
        assert!(writer.put_mail_server(&first, None).await?);
        assert!(!writer.put_mail_server(&first, None).await?, "there is one");
        assert_eq!(writer.mail_server(company).await?.as_ref(), Some(&first));

        let second = MailServerRow {
            version: 7,
            host: "127.0.0.1".into(),
            port: 65_535,
            security: MailSecurity::None,
            user: None,
            sealed_password: None,
            reply_to: None,
            fall_back: false,
            changed_at: at(1),
            ..first.clone()
        };
        assert!(writer.put_mail_server(&second, Some(first.version)).await?);
        assert_eq!(writer.mail_server(company).await?.as_ref(), Some(&second));
        assert!(!writer.put_mail_server(&first, Some(first.version)).await?);
        assert!(
            writer.put_mail_server(&second, Some(7)).await?,
            "a clock that stands"
        );
        assert_eq!(writer.mail_server(company).await?.map(|row| row.version), Some(8));
        assert!(!writer.delete_mail_server(company, 7).await?);
        assert!(writer.delete_mail_server(company, 8).await?);
        assert_eq!(writer.mail_server(company).await?, None);
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn passwords_of_mail_servers_are_sealed_anew(store: &TestStore) {
    let maker = Maker::new();
    let acme = alice(store, &maker).await.company;
    let globex = maker.company("Globex");
    write(store, async |writer| {
        writer.insert_company(&globex).await?;
        writer.put_mail_server(&mail_server(acme), None).await?;
        let without = MailServerRow {
            user: None,
            sealed_password: None,
            ..mail_server(globex.id)
        };
        writer.put_mail_server(&without, None).await?;
        let all = writer.mail_passwords_after(None, 10).await?;
        assert_eq!(all, [(acme, b"sealed".to_vec())]);
        assert_eq!(writer.mail_passwords_after(Some(acme), 10).await?, []);
        assert!(!writer.reseal_mail_password(globex.id, b"sealed", b"new").await?);
        assert!(writer.reseal_mail_password(acme, b"sealed", b"new").await?);
        assert!(!writer.reseal_mail_password(acme, b"sealed", b"other").await?);
        let row = writer.mail_server(acme).await?.unwrap();
        assert_eq!(row.sealed_password.as_deref(), Some(&b"new"[..]));
        assert_eq!(
            row.version,
            mail_server(acme).version,
            "nothing that anybody sees"
        );
        assert!(writer.delete_company(acme).await?);
        assert_eq!(writer.mail_server(acme).await?, None, "it goes with its company");
        Ok(())
    })
    .await
    .unwrap();
}
