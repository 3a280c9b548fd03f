//! Numbers for the operator's monitoring that the use cases count themselves. Every label is a closed word of ours: nothing
//! that a visitor sends ever becomes one.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{
        counter::Counter,
        family::Family,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};
use vestibule_core::{
    audit::{AuditEntry, Event},
    session::Proof,
};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Happened {
    event: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Proved {
    proof: &'static str,
}

/// What was counted since the start of this process. Clones count together.
#[derive(Clone, Debug)]
pub struct Metrics {
    events: Family<Happened, Counter>,
    sign_ins: Family<Proved, Counter>,
    hashing_waits: Histogram,
}

impl Default for Metrics {
    fn default() -> Self {
        let metrics = Self {
            events: Family::default(),
            sign_ins: Family::default(),
            // From a millisecond to half a minute.
            hashing_waits: Histogram::new(exponential_buckets(0.001, 2.0, 16)),
        };
        // What never happened is zero, so that its first time is seen as a rise.
        for event in Event::ALL {
            drop(metrics.event(event));
        }
        for proof in Proof::ALL {
            drop(metrics.sign_in(proof));
        }
        metrics
    }
}

impl Metrics {
    /// Offers the numbers under their names.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "events",
            "Events of the audit log, by their word",
            self.events.clone(),
        );
        registry.register(
            "sign_ins",
            "Sign-ins that were completed, by how the account proved itself",
            self.sign_ins.clone(),
        );
        registry.register(
            "hashing_wait_seconds",
            "How long passwords waited for a hashing thread",
            self.hashing_waits.clone(),
        );
    }

    /// Counts a line of the audit log that has become final.
    pub(crate) fn happened(&self, entry: &AuditEntry) {
        self.event(entry.event).inc();
        let proof = entry.detail.as_deref().and_then(Proof::from_word);
        if let (Event::SignedIn, Some(proof)) = (entry.event, proof) {
            self.sign_in(proof).inc();
        }
    }

    /// Where the line before the hashing threads notes how long somebody waited, in seconds.
    pub(crate) fn hashing_waits(&self) -> &Histogram {
        &self.hashing_waits
    }

    fn event(&self, event: Event) -> Counter {
        let event = event.as_str();
        self.events.get_or_create_owned(&Happened { event })
    }

    fn sign_in(&self, proof: Proof) -> Counter {
        let proof = proof.as_str();
        self.sign_ins.get_or_create_owned(&Proved { proof })
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;
    use vestibule_core::audit::Actor;

    use super::*;

    #[test]
    fn events_and_sign_ins_are_counted_by_their_words() {
        let metrics = Metrics::default();
        let entry = |event, detail: &str| AuditEntry {
            company: None,
            actor: Actor::Visitor,
            target: None,
            event,
            address: None,
            browser: None,
            request: None,
            detail: Some(detail.to_owned()),
        };
        metrics.happened(&entry(Event::SignedIn, "app_code"));
        metrics.happened(&entry(Event::SourceLimited, "192.0.2.1"));
        metrics.hashing_waits().observe(0.2);
        let mut registry = Registry::default();
        metrics.register(&mut registry);
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        for line in [
            "events_total{event=\"signed_in\"} 1\n",
            "events_total{event=\"source_limited\"} 1\n",
            "events_total{event=\"account_locked\"} 0\n",
            "sign_ins_total{proof=\"app_code\"} 1\n",
            "sign_ins_total{proof=\"password\"} 0\n",
            "hashing_wait_seconds_count 1\n",
        ] {
            assert!(text.contains(line), "{line}{text}");
        }
        assert!(!text.contains("192.0.2.1"), "{text}");
    }
}
