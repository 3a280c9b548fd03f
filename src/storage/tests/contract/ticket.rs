//! Standing in line.

use uuid::Uuid;
use vestibule_core::id::NodeId;
use vestibule_storage::{NewTicket, Store};

use crate::fixture::{Maker, at, write};

pub async fn somebody_waits_in_line_until_there_is_an_answer(store: &Store) {
    let maker = Maker::new();
    let (token, stranger) = (maker.token(), maker.token());
    let [node, other] = [1, 2].map(|number| NodeId(Uuid::from_bytes([number; 16])));
    let ticket = NewTicket {
        token_hash: token,
        node,
        lane: "others",
        place: 42,
        expires_at: at(900),
    };
    write(store, async |writer| writer.insert_ticket(&ticket).await)
        .await
        .unwrap();
    let look = async || {
        let row = store
            .read()
            .await
            .unwrap()
            .ticket_by_token(token)
            .await
            .unwrap()
            .unwrap();
        (row.place, row.front, row.seen_at, row.expires_at, row.answer)
    };
    assert_eq!(
        look().await,
        (42, None, None, at(900), None),
        "the node has told nothing yet"
    );

    write(store, async |writer| {
        writer.advance_line(node, "others", 30, at(0)).await?;
        writer.advance_line(node, "others", 35, at(1)).await?;
        writer.advance_line(node, "known", 7, at(2)).await?;
        writer.advance_line(other, "others", 9, at(3)).await
    })
    .await
    .unwrap();
    assert_eq!(look().await, (42, Some(35), Some(at(1)), at(900), None));

    write(store, async |writer| {
        assert!(writer.answer_ticket(token, b"sealed", at(120)).await?);
        assert!(!writer.answer_ticket(stranger, b"nobody's", at(120)).await?);
        Ok(())
    })
    .await
    .unwrap();
    assert_eq!(
        look().await,
        (42, Some(35), Some(at(1)), at(120), Some(b"sealed".to_vec()))
    );
    let nobody = store
        .read()
        .await
        .unwrap()
        .ticket_by_token(stranger)
        .await
        .unwrap();
    assert!(nobody.is_none());

    write(store, async |writer| {
        writer.drop_ticket(stranger).await?;
        assert!(writer.ticket_by_token(token).await?.is_some());
        writer.drop_ticket(token).await?;
        assert!(writer.ticket_by_token(token).await?.is_none());
        assert!(!writer.answer_ticket(token, b"late", at(120)).await?);
        Ok(())
    })
    .await
    .unwrap();
}
