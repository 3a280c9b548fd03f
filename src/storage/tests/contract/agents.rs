//! The list of agents, and changing somebody else's account.

use futures::future::join_all;
use vestibule_core::{
    account::{Account, PendingEmail, Person, Role, TimeFormat},
    agents::{AgentFilter, AgentSort, AgentState, FactorFilter},
    id::{AccountId, CompanyId},
    name::{EmailAddress, key},
    search::{is_found, order_key, search_words, searched_words},
};
use vestibule_storage::{
    AgentCounts, AgentData, MailLane, NewAccount, PageFrom, Reader, Store, StoreError, Unique,
    test_support::TestStore,
};

use crate::fixture::{Maker, alice, at, raw, write};

/// Aliases, of which several accounts have each.
const ALIASES: [&str; 8] = [
    "Ann Lee",
    "ann lee",
    "Zoë 100%",
    "under_score",
    "𝒳avier 😀 Smile",
    "محمد علي",
    "",
    "Ångström-Müller",
];

/// A company with this many accounts of every kind, and another company with some of the same.
async fn crowd(store: &Store, maker: &Maker, size: usize) -> CompanyId {
    let (crowded, twin) = (maker.company("Crowd"), maker.company("Twin"));
    let mut writer = store.write().await.unwrap();
    for (company, size) in [(&twin, size.min(50)), (&crowded, size)] {
        writer.insert_company(company).await.unwrap();
        for number in 0..size {
            let roles = match number % 10 {
                3 => vec![Role::Supervisor],
                6 => vec![Role::Agent, Role::Admin],
                _ => vec![Role::Agent],
            };
            let alias = ALIASES[number % ALIASES.len()];
            let account = NewAccount {
                email: EmailAddress::parse(&format!("x{:04}@mail{}.test", (number * 37) % 9973, number % 4))
                    .unwrap(),
                roles,
                active: number % 7 != 2,
                email_factor: number % 5 == 0,
                person: Person {
                    alias: alias.into(),
                    first_name: if number % 3 == 0 { "Thirda" } else { "Common" }.into(),
                    last_name: format!("Last{:03}", (number * 7) % 100),
                    phone: format!("+46 (0)8 {:03} 45", number % 1000),
                    ..maker
                        .account(company.id, &format!("agent_{:04}", (number * 61) % 9973))
                        .person
                },
                ..maker.account(company.id, &format!("agent_{:04}", (number * 61) % 9973))
            };
            writer.insert_account(&account).await.unwrap();
            if number % 11 == 4 {
                writer
                    .lock_account(company.id, account.id, "wrong_codes", at(1))
                    .await
                    .unwrap();
            }
            if number % 4 != 1 {
                // Some at the same moment.
                let moment = at(i64::try_from(number % 40).unwrap());
                writer.note_sign_in(company.id, account.id, moment).await.unwrap();
            }
            if number % 9 == 5 {
                writer
                    .set_app_secret(company.id, account.id, b"sealed", 0, at(1))
                    .await
                    .unwrap();
            }
        }
    }
    writer.commit().await.unwrap();
    crowded.id
}

/// The same list without any index.
fn naive(all: &[Account], filter: &AgentFilter) -> Vec<AccountId> {
    let wanted = searched_words(&filter.search);
    let fits = |account: &&Account| {
        let names = [
            &account.person.alias,
            &account.person.first_name,
            &account.person.last_name,
        ]
        .map(String::as_str);
        let words = search_words(&account.name, &account.email, &account.person.phone, names);
        let state = match filter.state {
            None => true,
            Some(AgentState::Active) => account.active,
            Some(AgentState::Inactive) => !account.active,
            Some(AgentState::Locked) => account.locked_at.is_some(),
        };
        let factor = match filter.factor {
            None => true,
            Some(FactorFilter::None) => !account.email_factor && !account.app_factor,
            Some(FactorFilter::Email) => account.email_factor,
            Some(FactorFilter::App) => account.app_factor,
        };
        let found = |wanted: &String| words.iter().any(|word| is_found(word, wanted));
        state
            && factor
            && filter.role.is_none_or(|role| account.roles.contains(&role))
            && (!filter.only_agents || account.roles == [Role::Agent])
            && wanted.iter().all(found)
    };
    let mut list: Vec<(usize, String, AccountId)> = all
        .iter()
        .filter(fits)
        .map(|account| {
            let name = key(&account.name);
            let signed_in = account.last_sign_in_at.map(|at| at.to_rfc3339());
            let (group, sorted_by) = match filter.sort {
                AgentSort::Alias => (0, order_key(&account.person.alias)),
                AgentSort::Account => (0, name),
                AgentSort::Email => (0, EmailAddress::lookup_key(&account.email)),
                AgentSort::Created => (0, String::new()),
                AgentSort::Role if account.roles.contains(&Role::Admin) => (0, name),
                AgentSort::Role if account.roles.contains(&Role::Supervisor) => (1, name),
                AgentSort::Role => (2, name),
                AgentSort::State if account.is_locked() => (0, name),
                AgentSort::State => (if account.active { 1 } else { 2 }, name),
                AgentSort::Factor => {
                    let group = usize::from(account.email_factor) + 2 * usize::from(account.app_factor);
                    (group, name)
                }
                AgentSort::LastSignIn => match signed_in {
                    None => (0, name),
                    Some(at) => (1, at),
                },
            };
            (group, sorted_by, account.id)
        })
        .collect();
    list.sort();
    if filter.descending {
        list.reverse();
    }
    list.into_iter().map(|(_, _, id)| id).collect()
}

/// Walks a list forwards to its end and back again, and compares every page; gives how many accounts it has.
async fn walk(
    reader: &mut Reader,
    company: CompanyId,
    all: &[Account],
    filter: &AgentFilter,
    most: usize,
) -> usize {
    let expected = naive(all, filter);
    let mut start = 0;
    let mut from = PageFrom::Start;
    loop {
        let page = reader.agent_page(company, filter, from, most).await.unwrap();
        let ids: Vec<AccountId> = page.accounts.iter().map(|account| account.id).collect();
        let end = expected.len().min(start + most);
        assert_eq!(ids, expected[start..end], "{filter:?} from {start}");
        assert_eq!(
            (page.before, page.after),
            (start > 0, end < expected.len()),
            "{filter:?} from {start}"
        );
        if !page.after {
            break;
        }
        start = end;
        from = PageFrom::After(ids[ids.len() - 1]);
    }
    let mut end = start;
    while end > 0 {
        let from = PageFrom::Before(expected[end]);
        let page = reader.agent_page(company, filter, from, most).await.unwrap();
        let ids: Vec<AccountId> = page.accounts.iter().map(|account| account.id).collect();
        let start = end.saturating_sub(most);
        assert_eq!(ids, expected[start..end], "{filter:?} up to {end}");
        assert_eq!(
            (page.before, page.after),
            (start > 0, true),
            "{filter:?} up to {end}"
        );
        end = start;
    }
    expected.len()
}

fn filters() -> Vec<AgentFilter> {
    let plain = AgentFilter::default;
    let mut filters = vec![
        plain(),
        AgentFilter {
            only_agents: true,
            ..plain()
        },
        AgentFilter {
            state: Some(AgentState::Inactive),
            factor: Some(FactorFilter::None),
            role: Some(Role::Agent),
            search: "COMMON last".into(),
            ..plain()
        },
        AgentFilter {
            state: Some(AgentState::Active),
            role: Some(Role::Admin),
            search: "ann".into(),
            ..plain()
        },
        AgentFilter {
            state: Some(AgentState::Locked),
            only_agents: true,
            factor: Some(FactorFilter::App),
            ..plain()
        },
    ];
    for state in AgentState::ALL {
        filters.push(AgentFilter {
            state: Some(state),
            ..plain()
        });
    }
    for factor in FactorFilter::ALL {
        filters.push(AgentFilter {
            factor: Some(factor),
            ..plain()
        });
    }
    for role in [Role::Agent, Role::Supervisor, Role::Admin] {
        filters.push(AgentFilter {
            role: Some(role),
            ..plain()
        });
    }
    filters
}

pub async fn every_page_is_the_one_that_it_should_be(store: &Store) {
    let maker = Maker::new();
    let company = crowd(store, &maker, 130).await;
    let mut reader = store.read().await.unwrap();
    let all = reader.accounts(company).await.unwrap();
    // Each order once in every direction, over all filters.
    for (number, filter) in filters().into_iter().enumerate() {
        for (place, sort) in AgentSort::ALL.into_iter().enumerate() {
            let filter = AgentFilter {
                sort,
                descending: (number + place) % 2 == 1,
                ..filter.clone()
            };
            let count = walk(&mut reader, company, &all, &filter, 17).await;
            let found = reader.count_found(company, &filter, 1_000).await;
            assert_eq!(found, Ok(count), "{filter:?}");
            let few = reader.count_found(company, &filter, 3).await;
            assert_eq!(few, Ok(count.min(3)), "{filter:?}");
        }
    }
    // A page that ends exactly with the list, and pages of one.
    walk(&mut reader, company, &all, &AgentFilter::default(), 65).await;
    let few = AgentFilter {
        role: Some(Role::Admin),
        sort: AgentSort::Alias,
        ..AgentFilter::default()
    };
    assert_eq!(walk(&mut reader, company, &all, &few, 1).await, 13);
}

pub async fn a_long_list_is_walked_in_its_order(store: &Store) {
    let maker = Maker::new();
    let company = crowd(store, &maker, 1_700).await;
    let mut reader = store.read().await.unwrap();
    let all = reader.accounts(company).await.unwrap();
    let plain = AgentFilter::default;
    let common = AgentFilter {
        search: "com age last".into(),
        ..plain()
    };
    for (number, (filter, least)) in [
        (plain(), 1_700),
        (common.clone(), 1_001),
        (
            AgentFilter {
                role: Some(Role::Agent),
                factor: Some(FactorFilter::None),
                ..common.clone()
            },
            500,
        ),
        (
            AgentFilter {
                only_agents: true,
                state: Some(AgentState::Active),
                ..plain()
            },
            1_001,
        ),
        (
            AgentFilter {
                state: Some(AgentState::Locked),
                ..common
            },
            50,
        ),
    ]
    .into_iter()
    .enumerate()
    {
        // Each order once; a short list is sorted by the same keys.
        let orders = AgentSort::ALL.into_iter().zip([false, true].into_iter().cycle());
        for (sort, descending) in orders.skip(number % 2).step_by(2) {
            let filter = AgentFilter {
                sort,
                descending,
                ..filter.clone()
            };
            let found = walk(&mut reader, company, &all, &filter, 400).await;
            assert!(found >= least, "{found}: {filter:?}");
        }
    }
}

pub async fn agents_are_found_by_the_beginnings_of_their_words(store: &Store) {
    let maker = Maker::new();
    let company = crowd(store, &maker, 130).await;
    let mut reader = store.read().await.unwrap();
    let all = reader.accounts(company).await.unwrap();
    for (search, found) in [
        ("ann", true),
        ("LEE ann", true),
        ("mon", true),
        ("immo", false),
        ("gstr", true),
        ("mile", true),
        ("+46 8 001", true),
        ("08-001 45", true),
        ("01 45", true),
        ("+47 8 001", false),
        ("nn", false),
        ("ann smile", false),
        ("100%", true),
        ("1%", true),
        ("xav%zzz", false),
        ("%", false),
        ("_", false),
        ("under_s", true),
        ("underxs", false),
        ("score", true),
        ("xavier", true),
        ("😀", true),
        ("😁", false),
        ("محم", true),
        ("علي محمد", true),
        ("ångström", true),
        ("A\u{30a}NGSTRÖM-M", true),
        ("müll", true),
        ("agent_0", true),
        ("x0037@mail1.t", true),
        ("mail2", true),
        ("last0 thirda", true),
        ("  ", true),
        ("' OR 1=1 --", false),
        ("ann\0", false),
        ("\u{10ffff}", false),
        ("\\", false),
        ("$1", true),
        ("angstrom", true),
        ("mull", true),
    ] {
        let filter = AgentFilter {
            search: search.into(),
            ..AgentFilter::default()
        };
        if search.contains('\0') {
            let page = reader.agent_page(company, &filter, PageFrom::Start, 9).await;
            assert_eq!(page.unwrap().accounts, []);
            continue;
        }
        let count = walk(&mut reader, company, &all, &filter, 50).await;
        assert_eq!(count > 0, found, "{search}");
    }
    let long = AgentFilter {
        search: "a ".repeat(5_000),
        ..AgentFilter::default()
    };
    walk(&mut reader, company, &all, &long, 50).await;
}

pub async fn a_cursor_that_is_gone_means_the_start(store: &Store) {
    let maker = Maker::new();
    let company = crowd(store, &maker, 20).await;
    let alice = alice(store, &maker).await;
    let mut writer = store.write().await.unwrap();
    let filter = AgentFilter::default();
    let start = writer
        .agent_page(company, &filter, PageFrom::Start, 5)
        .await
        .unwrap();
    assert_eq!(
        (start.accounts.len(), start.before, start.after),
        (5, false, true)
    );
    let gone = start.accounts[2].id;
    assert!(writer.delete_account(company, gone).await.unwrap());
    let start = writer
        .agent_page(company, &filter, PageFrom::Start, 5)
        .await
        .unwrap();
    for from in [
        PageFrom::After(gone),
        PageFrom::Before(gone),
        PageFrom::After(alice.id),
        PageFrom::Before(alice.id),
    ] {
        let page = writer.agent_page(company, &filter, from, 5).await.unwrap();
        assert_eq!(page, start, "{from:?}");
    }
    // A cursor that the filter does not find still has its place.
    let other = start.accounts[0].id;
    let roles = |role| AgentFilter {
        role: Some(role),
        ..AgentFilter::default()
    };
    let all = writer.accounts(company).await.unwrap();
    let admins = naive(&all, &roles(Role::Admin));
    let page = writer
        .agent_page(company, &roles(Role::Admin), PageFrom::After(other), 5)
        .await
        .unwrap();
    let position = all.iter().position(|account| account.id == other).unwrap();
    let later: Vec<AccountId> = all[position + 1..]
        .iter()
        .map(|account| account.id)
        .filter(|id| admins.contains(id))
        .collect();
    assert_eq!(
        page.accounts.iter().map(|account| account.id).collect::<Vec<_>>(),
        later
    );
    // Nothing lies beyond the last one, and nothing before the first.
    let last = all[all.len() - 1].id;
    let page = writer
        .agent_page(company, &filter, PageFrom::After(last), 5)
        .await
        .unwrap();
    assert_eq!((page.accounts.len(), page.before, page.after), (0, true, false));
    let page = writer
        .agent_page(company, &filter, PageFrom::Before(all[0].id), 5)
        .await
        .unwrap();
    assert_eq!((page.accounts.len(), page.before, page.after), (0, false, true));
}

pub async fn agents_are_counted_and_listed_by_identifier(store: &Store) {
    let maker = Maker::new();
    let company = crowd(store, &maker, 130).await;
    let mut reader = store.read().await.unwrap();
    let all = reader.accounts(company).await.unwrap();
    let count = |fits: &dyn Fn(&Account) -> bool| -> i64 {
        i64::try_from(all.iter().filter(|account| fits(account)).count()).unwrap()
    };
    assert_eq!(
        reader.count_agents(company).await,
        Ok(AgentCounts {
            all: 130,
            active: count(&|account| account.active),
            inactive: count(&|account| !account.active),
            locked: count(&|account| account.locked_at.is_some()),
            with_second_factor: count(&|account| account.active && account.has_second_factor()),
            with_email: count(&|account| account.active && account.email_factor),
            with_app: count(&|account| account.active && account.app_factor),
        })
    );
    let admins: Vec<&Account> = all
        .iter()
        .filter(|account| account.active && account.roles.contains(&Role::Admin))
        .collect();
    let listed = reader.active_admins(company).await.unwrap();
    assert_eq!(listed.len(), admins.len());
    assert!(listed.iter().all(|listed| admins.contains(&listed)));
    let number = i64::try_from(admins.len()).unwrap();
    assert_eq!(reader.count_active_admins(company, None).await, Ok(number));
    let one = Some(admins[0].id);
    assert_eq!(reader.count_active_admins(company, one).await, Ok(number - 1));

    let mut ids = Vec::new();
    let mut after = None;
    loop {
        let some = reader.accounts_after(company, after, 50).await.unwrap();
        let Some(last) = some.last() else { break };
        after = Some(last.id);
        ids.extend(some.into_iter().map(|account| account.id));
    }
    let mut expected: Vec<AccountId> = all.iter().map(|account| account.id).collect();
    expected.sort_unstable();
    assert_eq!(ids, expected);

    let taken = EmailAddress::parse(&all[0].email.to_uppercase()).unwrap();
    let free = EmailAddress::parse("free@mail.test").unwrap();
    assert_eq!(reader.email_is_taken(company, &taken, None).await, Ok(true));
    let own = Some(all[0].id);
    assert_eq!(reader.email_is_taken(company, &taken, own).await, Ok(false));
    let other = Some(all[1].id);
    assert_eq!(reader.email_is_taken(company, &taken, other).await, Ok(true));
    assert_eq!(reader.email_is_taken(company, &free, None).await, Ok(false));
}

fn data() -> AgentData {
    AgentData {
        person: Person {
            first_name: "Bertha".into(),
            last_name: "Quux".into(),
            alias: "Big B".into(),
            phone: "+49 30 1".into(),
            title: "Team lead".into(),
            time_format: TimeFormat::Hours12,
            language: Some("fr".into()),
        },
        roles: vec![Role::Supervisor],
        active: false,
    }
}

/// The accounts that a search finds.
async fn found(reader: &mut Reader, company: CompanyId, search: &str) -> Vec<AccountId> {
    let filter = AgentFilter {
        search: search.into(),
        ..AgentFilter::default()
    };
    let page = reader.agent_page(company, &filter, PageFrom::Start, 10).await;
    page.unwrap().accounts.iter().map(|account| account.id).collect()
}

pub async fn an_agent_is_saved_once_per_version(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let (company, id) = (alice.company, alice.id);
    write(store, async |writer| {
        let before = writer.account(company, id).await?.unwrap();
        assert_eq!(found(writer, company, "zoë").await, [id]);
        assert!(writer.set_agent(company, id, 1, &data(), at(1)).await?);
        let expected = Account {
            roles: vec![Role::Supervisor],
            active: false,
            version: 2,
            person: Person {
                first_name: "Bertha".into(),
                last_name: "Quux".into(),
                alias: "Big B".into(),
                phone: "+49 30 1".into(),
                title: "Team lead".into(),
                time_format: TimeFormat::Hours12,
                language: Some("fr".into()),
            },
            ..before
        };
        assert_eq!(writer.account(company, id).await?, Some(expected.clone()));
        assert_eq!(found(writer, company, "quu bi alice").await, [id]);
        assert!(found(writer, company, "zoë").await.is_empty());
        let old = AgentData {
            person: Person {
                alias: "Lost".into(),
                ..data().person
            },
            ..data()
        };
        for version in [0, 1, 3] {
            assert!(!writer.set_agent(company, id, version, &old, at(2)).await?);
        }
        assert_eq!(writer.account(company, id).await?, Some(expected));
        // The own profile counts too.
        let profile = Person {
            first_name: String::new(),
            last_name: "Corge".into(),
            alias: "C".into(),
            phone: String::new(),
            title: String::new(),
            time_format: TimeFormat::Hours24,
            language: None,
        };
        assert!(writer.set_profile(company, id, &profile, at(3)).await?);
        assert!(!writer.set_agent(company, id, 2, &old, at(3)).await?);
        assert_eq!(found(writer, company, "corg").await, [id]);
        assert!(found(writer, company, "quux").await.is_empty());
        Ok(())
    })
    .await
    .unwrap();
    let roleless = AgentData {
        roles: Vec::new(),
        ..data()
    };
    let refused = write(store, async |writer| {
        writer.set_agent(company, id, 3, &roleless, at(4)).await
    })
    .await;
    assert!(matches!(refused, Err(StoreError::Other(_))), "{refused:?}");
    let saved = crate::fixture::winners_of_twenty(store, async |writer| {
        writer.set_agent(company, id, 3, &data(), at(5)).await
    })
    .await;
    assert_eq!(saved, 1);
}

pub async fn an_address_waits_and_then_counts(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let bob = maker.account(alice.company, "bob");
    let (company, id) = (alice.company, alice.id);
    let new = EmailAddress::parse("New.Alice@Other.test").unwrap();
    write(store, async |writer| {
        writer.insert_account(&bob).await?;
        assert!(writer.set_pending_email(company, id, Some(&new), at(1)).await?);
        let read = writer.account(company, id).await?.unwrap();
        let waiting = PendingEmail {
            address: "New.Alice@Other.test".into(),
            since: at(1),
        };
        assert_eq!((read.pending_email, read.version), (Some(waiting), 2));
        assert_eq!(read.email, alice.email.display());
        assert!(writer.set_pending_email(company, id, None, at(2)).await?);
        let read = writer.account(company, id).await?.unwrap();
        assert_eq!((read.pending_email, read.version), (None, 3));
        assert!(writer.set_pending_email(company, id, Some(&new), at(3)).await?);
        assert!(writer.put_email(company, id, &new, at(4)).await?);
        let read = writer.account(company, id).await?.unwrap();
        assert_eq!(
            (
                read.email.as_str(),
                read.pending_email,
                read.version,
                read.credential_version
            ),
            ("New.Alice@Other.test", None, 5, 2)
        );
        let key = new.key();
        assert!(writer.account_by_sign_in(company, key, key).await?.is_some());
        assert_eq!(found(writer, company, "other new.a").await, [id]);
        assert_eq!(found(writer, company, "example").await, [bob.id]);
        assert!(
            !writer
                .put_email(company, maker.account(company, "no").id, &new, at(5))
                .await?
        );
        Ok(())
    })
    .await
    .unwrap();
    let refused = write(store, async |writer| {
        writer.put_email(company, bob.id, &new, at(6)).await
    })
    .await;
    assert_eq!(refused, Err(StoreError::Conflict(Unique::Email)));
    // Two at once want the same address: one gets it.
    let wanted = EmailAddress::parse("wanted@other.test").unwrap();
    let both = join_all([id, bob.id].map(|account| {
        let wanted = &wanted;
        async move {
            write(store, async |writer| {
                writer.put_email(company, account, wanted, at(7)).await
            })
            .await
        }
    }))
    .await;
    assert!(both.contains(&Ok(true)), "{both:?}");
    assert!(
        both.contains(&Err(StoreError::Conflict(Unique::Email))),
        "{both:?}"
    );
}

pub async fn a_deleted_account_takes_everything_along(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let (company, id) = (alice.company, alice.id);
    let session = maker.session(&alice, at(0));
    let link = maker.link(&alice, at(0));
    let import = maker.import(&alice, 3, at(0));
    write(store, async |writer| {
        writer.insert_session(&session).await?;
        writer.put_link(&link).await?;
        writer.insert_import(&import).await?;
        writer.insert_mail(&maker.mail(&alice, None, at(0))).await?;
        assert!(writer.delete_account(company, id).await?);
        assert!(!writer.delete_account(company, id).await?);
        assert_eq!(writer.account(company, id).await?, None);
        assert_eq!(writer.session_by_token(session.token_hash).await?, None);
        assert_eq!(writer.link_by_token(link.token_hash).await?, None);
        assert_eq!(writer.import(company, import.id).await?, None);
        assert_eq!(
            writer
                .claim_mails(MailLane::Installation, at(1), at(2), 10)
                .await?,
            []
        );
        assert!(found(writer, company, "alice").await.is_empty());
        // Its name and address are free again.
        writer.insert_account(&maker.account(company, "alice")).await
    })
    .await
    .unwrap();
}

pub async fn one_admin_always_stays(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let bob = maker.account(alice.company, "bob");
    let company = alice.company;
    write(store, async |writer| writer.insert_account(&bob).await)
        .await
        .unwrap();
    // Both step back at once; each asks first whether another admin is left.
    let both = join_all([alice.id, bob.id].map(async |id| {
        write(store, async |writer| {
            assert!(writer.hold_company(company).await?);
            if writer.count_active_admins(company, Some(id)).await? == 0 {
                return Ok(false);
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            writer.set_account_active(company, id, false, at(1)).await
        })
        .await
        .unwrap()
    }))
    .await;
    assert_eq!(both.iter().filter(|stepped_back| **stepped_back).count(), 1);
    let mut reader = store.read().await.unwrap();
    assert_eq!(reader.count_active_admins(company, None).await, Ok(1));
    drop(reader);
    let nowhere = maker.company("Nowhere").id;
    let held = write(store, async |writer| writer.hold_company(nowhere).await).await;
    assert_eq!(held, Ok(false));
}

pub async fn accounts_from_before_get_their_words(store: &TestStore) {
    let maker = Maker::new();
    let company = crowd(store, &maker, 450).await;
    let mut reader = store.read().await.unwrap();
    let all = reader.accounts(company).await.unwrap();
    drop(reader);
    raw(
        store,
        "DELETE FROM account_word; UPDATE account SET alias_key = ''; DELETE FROM folding",
    )
    .await;
    let (one, two) = (store.second().await, store.second().await);
    for migrated in join_all([&one, &two].map(Store::migrate)).await {
        assert_eq!(migrated, Ok(()));
    }
    let mut reader = store.read().await.unwrap();
    assert_eq!(reader.accounts(company).await.unwrap(), all);
    for search in ["", "ann", "last0"] {
        let filter = AgentFilter {
            search: search.into(),
            sort: AgentSort::Alias,
            ..AgentFilter::default()
        };
        assert!(walk(&mut reader, company, &all, &filter, 50).await > 0);
    }
}
