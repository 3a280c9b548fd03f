//! What an address asks of the list of agents, and the addresses of its other pages, orders and filters.

use vestibule_core::{
    account::Role,
    agents::{AgentFilter, AgentSort, AgentState, FactorFilter},
    paths::AGENTS,
};

/// The filter in a query. What cannot be read is as if it had not been asked.
pub fn filter_from(word: impl Fn(&str) -> Option<String>) -> AgentFilter {
    let word = |name| word(name).unwrap_or_default();
    AgentFilter {
        search: word("search").trim().to_owned(),
        state: AgentState::from_word(&word("state")),
        role: word("role").parse().ok(),
        factor: FactorFilter::from_word(&word("factor")),
        sort: AgentSort::from_word(&word("sort")).unwrap_or_default(),
        descending: word("order") == "desc",
        only_agents: false,
    }
}

/// The filter in the query that a form sent along.
pub fn filter_of(query: &str) -> AgentFilter {
    filter_from(|name| {
        form_urlencoded::parse(query.as_bytes())
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.into_owned())
    })
}

/// The query that [`filter_of`] reads; without what is as it is anyway.
pub fn query_of(filter: &AgentFilter) -> String {
    let sort = (filter.sort != AgentSort::default()).then(|| filter.sort.as_str());
    let pairs = [
        (
            "search",
            Some(filter.search.as_str()).filter(|search| !search.is_empty()),
        ),
        ("state", filter.state.map(AgentState::as_str)),
        ("role", filter.role.map(Role::as_str)),
        ("factor", filter.factor.map(FactorFilter::as_str)),
        ("sort", sort),
        ("order", filter.descending.then_some("desc")),
    ];
    let asked = pairs.into_iter().filter_map(|(name, value)| Some((name, value?)));
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(asked)
        .finish()
}

/// The list with this filter.
pub fn list_of(filter: &AgentFilter) -> String {
    with_query(AGENTS, &query_of(filter))
}

/// The list with the filter that a form sent along.
pub fn list_at(back: &str) -> String {
    list_of(&filter_of(back))
}

/// An address with a query, unless that is empty.
pub fn with_query(path: &str, query: &str) -> String {
    if query.is_empty() {
        path.to_owned()
    } else {
        [path, "?", query].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_as_it_was_written() {
        let filter = AgentFilter {
            search: "ann & lee=1".into(),
            state: Some(AgentState::Locked),
            role: Some(Role::Agent),
            factor: Some(FactorFilter::App),
            sort: AgentSort::LastSignIn,
            descending: true,
            only_agents: false,
        };
        assert_eq!(filter_of(&query_of(&filter)), filter);
        assert_eq!(list_of(&AgentFilter::default()), AGENTS);
        assert_eq!(
            filter_of("state=nonsense&sort=%22&order=up"),
            AgentFilter::default()
        );
    }
}
