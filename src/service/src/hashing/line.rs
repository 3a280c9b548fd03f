//! The one fair line before the hashing threads (N6; product.md 4.10).

use std::{
    collections::{HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, OnceLock},
    time::{Duration, Instant},
};

use prometheus_client::metrics::histogram::Histogram;
use tokio::sync::oneshot;
use vestibule_core::throttle::Subject;

use crate::locked;

/// Turns for each hashing thread: while one hash is computed, the next tries are counted and the last ones written down.
const TURNS_PER_THREAD: usize = 3;
/// Most people that wait in one lane of a node. Whoever waits takes about 8 KiB, so that both lanes stay below 64 MiB.
const WAITING_MAX: usize = 4_000;
/// Most that wait with one key: more are no people.
const WAITING_WITH_ONE_KEY_MAX: usize = 10;
/// So often known browsers are asked first, then the others once: nobody waits for ever.
const KNOWN_ASKED_FIRST: usize = 3;
/// Where no turn has ended yet, one is taken to last this long.
const FIRST_GUESS: Duration = Duration::from_millis(60);

/// Where somebody stands in line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// A browser that has signed the account in before, or somebody who has proved something already: first, in three turns
    /// of four.
    Known,
    /// Everybody else, by arrival.
    Others,
}

impl Lane {
    /// The stored form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::Others => "others",
        }
    }
}

/// The line is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full {
    /// Seconds after which there is room again, as far as can be told.
    pub retry_after: u32,
}

/// Where a request stands in line; empty while it does not. Clones tell the same.
#[derive(Clone, Debug, Default)]
pub struct Place(Arc<Mutex<Option<(Lane, i64)>>>);

impl Place {
    /// The lane and the place in it, which is compared with [`Line::fronts`].
    pub fn get(&self) -> Option<(Lane, i64)> {
        *locked(&self.0)
    }

    fn set(&self, place: Option<(Lane, i64)>) {
        *locked(&self.0) = place;
    }
}

/// The line. Clones are the same line.
#[derive(Clone)]
pub struct Line(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    /// Where it is noted how long somebody waited, in seconds.
    waits: OnceLock<Histogram>,
}

struct State {
    turns: usize,
    free: usize,
    /// Whose tries are under way.
    under_way: HashSet<Key>,
    known: Queue,
    others: Queue,
    /// How often known browsers were asked first since the others were.
    asked_first: usize,
    /// How long a turn lasts, on the average of the last ones.
    turn: Duration,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    /// How many ever stood in it, and how many of them are no longer there.
    entered: i64,
    left: i64,
}

struct Waiting {
    key: Option<Key>,
    give: oneshot::Sender<Turn>,
}

/// Whose tries go one after another: those on an account from browsers that know it, or from everybody else.
pub type Key = (Subject, Lane);

/// The right to hash. The next in line gets it when it is dropped, or earlier with [`Turn::compared`].
#[derive(Debug)]
pub struct Turn {
    line: Option<Line>,
    key: Option<Key>,
    /// Whether it still takes room before the threads.
    room: bool,
    since: Instant,
    waited: bool,
}

impl Line {
    /// A line before so many threads.
    pub fn new(threads: usize) -> Self {
        let turns = threads.max(1) * TURNS_PER_THREAD;
        let state = State {
            turns,
            free: turns,
            under_way: HashSet::new(),
            known: Queue::default(),
            others: Queue::default(),
            asked_first: 0,
            turn: FIRST_GUESS,
        };
        Self(Arc::new(Shared {
            state: Mutex::new(state),
            waits: OnceLock::new(),
        }))
    }

    /// Notes from now on how long everybody waited.
    pub(crate) fn note_waits(&self, waits: &Histogram) {
        // A line that has a place for it already keeps it.
        let _ = self.0.waits.set(waits.clone());
    }

    fn waited(&self, since: Instant) {
        if let Some(waits) = self.0.waits.get() {
            waits.observe(since.elapsed().as_secs_f64());
        }
    }

    /// Waits for a turn. Meanwhile `place` tells where. With a `key` no other turn of this key runs at the same time: what
    /// is under way is no wrong password yet, and five clicks on a button must not add up to five of them.
    ///
    /// # Errors
    /// [`Full`]: too many wait already.
    pub async fn turn(&self, lane: Lane, key: Option<Key>, place: &Place) -> Result<Turn, Full> {
        let asked = Instant::now();
        let waiting = {
            let mut state = self.state();
            if state.may_go(key.as_ref()) {
                state.take(key);
                self.waited(asked);
                return Ok(self.give(key, false));
            }
            let (full, full_of_key) = (state.full(), state.full_of(lane, key.as_ref()));
            let queue = state.queue(lane);
            if queue.waiting.len() >= WAITING_MAX {
                return Err(full);
            }
            if let Some(full) = full_of_key {
                return Err(full);
            }
            let (give, wait) = oneshot::channel();
            queue.waiting.push_back(Waiting { key, give });
            queue.entered += 1;
            place.set(Some((lane, queue.entered)));
            wait
        };
        let turn = waiting.await;
        self.waited(asked);
        place.set(None);
        // Every place that is left gets its turn: the sender is never dropped unused.
        Ok(turn.unwrap_or_else(|_| Turn::of_nobody()))
    }

    /// How far each lane has come: whoever has place `n` is number `n - front`.
    pub fn fronts(&self) -> [(Lane, i64); 2] {
        let state = self.state();
        let ahead_of_others = i64::try_from(state.known.waiting.len()).unwrap_or(i64::MAX);
        [
            (Lane::Known, state.known.left),
            (Lane::Others, state.others.left - ahead_of_others),
        ]
    }

    /// How many turns there are.
    #[cfg(feature = "test-support")]
    pub fn turns(&self) -> usize {
        self.state().turns
    }

    /// How many wait, in both lanes.
    pub fn waiting(&self) -> usize {
        let state = self.state();
        state.known.waiting.len() + state.others.waiting.len()
    }

    fn give(&self, key: Option<Key>, waited: bool) -> Turn {
        Turn {
            line: Some(self.clone()),
            key,
            room: true,
            since: Instant::now(),
            waited,
        }
    }

    /// Takes back what a turn held, and gives it to the next in line who are still there.
    fn give_back(&self, room: Option<Duration>, key: Option<&Key>) {
        let mut state = self.state();
        if let Some(lasted) = room {
            state.free += 1;
            state.turn = (state.turn * 15 + lasted) / 16;
        }
        if let Some(key) = key {
            state.under_way.remove(key);
        }
        while let Some(Waiting { key, give }) = state.next() {
            state.take(key);
            if let Err(mut turn) = give.send(self.give(key, true)) {
                // Nobody takes it: it must not come back here by itself.
                turn.line = None;
                state.free += 1;
                if let Some(key) = &key {
                    state.under_way.remove(key);
                }
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.0.state)
    }
}

impl Queue {
    /// The first whose key is not under way.
    fn next(&mut self, under_way: &HashSet<Key>) -> Option<Waiting> {
        let may_go = |waiting: &Waiting| waiting.key.is_none_or(|key| !under_way.contains(&key));
        let first = self.waiting.iter().position(may_go)?;
        self.left += 1;
        self.waiting.remove(first)
    }

    /// Places of those that wait with this key.
    fn places_of(&self, key: &Key) -> Vec<usize> {
        let waiting = self.waiting.iter().enumerate();
        let with_it = waiting.filter(|(_, waiting)| waiting.key.as_ref() == Some(key));
        with_it.map(|(place, _)| place).collect()
    }
}

impl State {
    fn queue(&mut self, lane: Lane) -> &mut Queue {
        match lane {
            Lane::Known => &mut self.known,
            Lane::Others => &mut self.others,
        }
    }

    fn may_go(&self, key: Option<&Key>) -> bool {
        self.free > 0 && key.is_none_or(|key| !self.under_way.contains(key))
    }

    fn take(&mut self, key: Option<Key>) {
        self.free -= 1;
        self.under_way.extend(key);
    }

    /// The first in line who may go.
    fn next(&mut self) -> Option<Waiting> {
        if self.free == 0 {
            return None;
        }
        let others_first = self.asked_first >= KNOWN_ASKED_FIRST;
        let queues = if others_first {
            [&mut self.others, &mut self.known]
        } else {
            [&mut self.known, &mut self.others]
        };
        let next = queues.into_iter().find_map(|queue| queue.next(&self.under_way));
        self.asked_first = if others_first { 0 } else { self.asked_first + 1 };
        next
    }

    /// Until half of a full lane is through.
    fn full(&self) -> Full {
        self.after(WAITING_MAX / 2 / self.turns)
    }

    /// Too many wait with this key. Until half of them are through: they go one after another, and after those ahead of
    /// them.
    fn full_of(&self, lane: Lane, key: Option<&Key>) -> Option<Full> {
        let (queue, ahead) = match lane {
            Lane::Known => (&self.known, 0),
            Lane::Others => (&self.others, self.known.waiting.len()),
        };
        let places = queue.places_of(key?);
        let half = places.len() / 2;
        let ahead = (places.get(half)? + ahead) / self.turns;
        (places.len() >= WAITING_WITH_ONE_KEY_MAX).then(|| self.after(half.max(ahead)))
    }

    /// When so many turns, one after another, will be over.
    fn after(&self, turns: usize) -> Full {
        let turns = u32::try_from(turns).unwrap_or(u32::MAX);
        // Never one: the sentence has no singular.
        let seconds = self.turn.saturating_mul(turns).as_secs().clamp(2, 60);
        Full {
            retry_after: u32::try_from(seconds).unwrap_or(60),
        }
    }
}

impl Turn {
    fn of_nobody() -> Self {
        Self {
            line: None,
            key: None,
            room: false,
            since: Instant::now(),
            waited: true,
        }
    }

    /// Whether others went first: what was found out before may have changed.
    pub const fn was_waited_for(&self) -> bool {
        self.waited
    }

    /// Nothing is hashed any more: the next in line may go, but for those with the same key, who wait until it is written
    /// down what came of this one.
    pub fn compared(&mut self) {
        if std::mem::take(&mut self.room)
            && let Some(line) = &self.line
        {
            line.give_back(Some(self.since.elapsed()), None);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(line) = self.line.take() {
            let lasted = self.room.then(|| self.since.elapsed());
            line.give_back(lasted, self.key.as_ref());
        }
    }
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Line({} waiting)", self.waiting())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;
    use std::{future::Future, pin::Pin};

    type Waiting<'a> = Pin<Box<dyn Future<Output = Result<Turn, Full>> + 'a>>;

    /// Stands in line, as far as it goes without waiting.
    fn enter<'a>(line: &'a Line, into: Lane, place: &'a Place) -> Waiting<'a> {
        let mut waiting: Waiting<'a> = Box::pin(line.turn(into, None, place));
        assert!(waiting.as_mut().now_or_never().is_none(), "no turn is free");
        waiting
    }

    async fn take_all(line: &Line) -> Vec<Turn> {
        let mut turns = Vec::new();
        for _ in 0..TURNS_PER_THREAD {
            turns.push(line.turn(Lane::Others, None, &Place::default()).await.unwrap());
        }
        turns
    }

    fn number(line: &Line, place: &Place) -> Option<i64> {
        let (within, number) = place.get()?;
        let mut fronts = line.fronts().into_iter();
        fronts.find_map(|(of, front)| (of == within).then_some(number - front))
    }

    #[tokio::test]
    async fn known_browsers_go_first_and_everybody_else_by_arrival() {
        let line = Line::new(1);
        let mut turns = take_all(&line).await;
        let places: [Place; 4] = std::array::from_fn(|_| Place::default());
        let mut first = enter(&line, Lane::Others, &places[0]);
        let mut second = enter(&line, Lane::Others, &places[1]);
        let mut known = enter(&line, Lane::Known, &places[2]);
        let mut late = enter(&line, Lane::Known, &places[3]);
        let numbers = |line| places.each_ref().map(|place| number(line, place));
        assert_eq!(numbers(&line), [Some(3), Some(4), Some(1), Some(2)]);
        assert_eq!(line.waiting(), 4);

        turns.pop();
        let turn = known.as_mut().now_or_never().unwrap().unwrap();
        assert!(first.as_mut().now_or_never().is_none());
        assert_eq!(numbers(&line), [Some(2), Some(3), None, Some(1)]);
        drop(turn);
        drop(late.as_mut().now_or_never().unwrap().unwrap());
        let turn = first.as_mut().now_or_never().unwrap().unwrap();
        assert_eq!(numbers(&line), [None, Some(1), None, None]);
        drop(turn);
        assert!(second.as_mut().now_or_never().is_some());
    }

    #[tokio::test]
    async fn whoever_left_the_line_takes_no_turn_with_them() {
        let line = Line::new(1);
        let turns = take_all(&line).await;
        let (gone, here) = (Place::default(), Place::default());
        let left = enter(&line, Lane::Others, &gone);
        let mut stays = enter(&line, Lane::Others, &here);
        drop(left);
        drop(turns);
        assert!(stays.as_mut().now_or_never().is_some());
        drop(stays);
        assert_eq!(
            take_all(&line).await.len(),
            TURNS_PER_THREAD,
            "all turns are back"
        );
        // One that was given a turn and left before taking it.
        let turns = take_all(&line).await;
        let given = enter(&line, Lane::Others, &gone);
        drop(turns);
        drop(given);
        assert_eq!(take_all(&line).await.len(), TURNS_PER_THREAD);
    }

    #[tokio::test]
    async fn tries_on_one_account_go_one_after_another_and_hold_nobody_else_up() {
        let line = Line::new(1);
        let key = |number| Some(([number; 32], Lane::Others));
        let place = Place::default();
        let mut first = line.turn(Lane::Others, key(1), &place).await.unwrap();
        let mut second = Box::pin(line.turn(Lane::Known, key(1), &place));
        assert!(
            second.as_mut().now_or_never().is_none(),
            "although turns are free"
        );
        let other = line.turn(Lane::Others, key(2), &place).now_or_never();
        assert!(other.is_some_and(|turn| turn.is_ok()));
        first.compared();
        assert!(
            second.as_mut().now_or_never().is_none(),
            "what came of it is not written down yet"
        );
        drop(first);
        let second = second.as_mut().now_or_never().unwrap().unwrap();
        let turns = [2, 3].map(|number| line.turn(Lane::Others, key(number), &place).now_or_never());
        assert!(
            turns.iter().all(|turn| matches!(turn, Some(Ok(_)))),
            "all turns but one are free"
        );
        drop(second);
        assert!(line.turn(Lane::Others, key(1), &place).now_or_never().is_some());
    }

    #[tokio::test]
    async fn one_account_cannot_fill_the_line_and_nobody_waits_for_ever() {
        let line = Line::new(1);
        let mut turns = take_all(&line).await;
        let place = Place::default();
        let key = Some(([1; 32], Lane::Known));
        let mut same: Vec<_> = (0..WAITING_WITH_ONE_KEY_MAX)
            .map(|_| Box::pin(line.turn(Lane::Known, key, &place)))
            .collect();
        assert!(same.iter_mut().all(|turn| turn.as_mut().now_or_never().is_none()));
        let one_more = line.turn(Lane::Known, key, &place).now_or_never();
        let soon = Full { retry_after: 2 };
        assert_eq!(one_more.unwrap().unwrap_err(), soon, "ten turns do not last long");
        drop(same);

        let mut known: Vec<_> = (0..9).map(|_| enter(&line, Lane::Known, &place)).collect();
        let mut other = enter(&line, Lane::Others, &place);
        let mut gone = 0;
        let turn = loop {
            turns.pop();
            if let Some(turn) = other.as_mut().now_or_never() {
                break turn;
            }
            let next = known.remove(0).as_mut().now_or_never().unwrap().unwrap();
            turns.insert(0, next);
            gone += 1;
        };
        assert!(turn.is_ok() && gone <= KNOWN_ASKED_FIRST, "{gone}");
    }

    #[tokio::test]
    async fn strangers_fill_their_own_lane_only() {
        let line = Line::new(1);
        let turns = take_all(&line).await;
        let place = Place::default();
        let waiting: Vec<_> = (0..WAITING_MAX)
            .map(|_| enter(&line, Lane::Others, &place))
            .collect();
        let full = line.turn(Lane::Others, None, &place).await.unwrap_err();
        assert!((2..=60).contains(&full.retry_after));
        let mut known = enter(&line, Lane::Known, &place);
        drop(turns);
        assert!(known.as_mut().now_or_never().is_some());
        drop(waiting);
    }
}
