//! Look-ups that many callers make at once. SQLite answers each where it is asked; PostgreSQL answers
//! those that wait together by one statement, which is one snapshot for each of them.
//!
//! A reader that takes a turn asks for whoever waits, again and again until nobody does. While its
//! statement runs the next callers gather, so groups grow with the load and nobody waits for company.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::reader::{After, ReadJob, may_be_lost};
use super::{AnyConn, DbError};

/// Callers answered by one statement.
const MOST: usize = 64;
/// Readers that take turns at one kind of look-up; the others stay free for everything else.
const TURNS: usize = 2;
/// Callers that may wait; more are refused with [`DbError::Busy`].
const WAITING: usize = 1024;

/// A question of one kind, of which many may be answered by one statement.
pub trait LookUp: Send + Sized + 'static {
    /// What is found.
    type Found: Send + 'static;

    /// The answers, in the order of the questions.
    fn answer(conn: &mut AnyConn, questions: &[Self]) -> Result<Vec<Self::Found>, DbError>;

    /// The answer to this one alone.
    fn answer_one(self, conn: &mut AnyConn) -> Result<Self::Found, DbError> {
        let answers = Self::answer(conn, std::slice::from_ref(&self))?;
        answers.into_iter().next().ok_or(DbError::Aborted(None))
    }
}

/// Rows of a statement that numbers its questions from 1, in the order of these; `None` where a
/// question has no row.
pub fn in_order<T>(rows: Vec<(i64, T)>, questions: usize) -> Vec<Option<T>> {
    let mut found: Vec<Option<T>> = std::iter::repeat_with(|| None).take(questions).collect();
    for (number, row) in rows {
        let at = usize::try_from(number - 1).ok();
        if let Some(place) = at.and_then(|at| found.get_mut(at)) {
            *place = Some(row);
        }
    }
    found
}

type Reply<Q> = oneshot::Sender<Result<<Q as LookUp>::Found, DbError>>;

/// Callers of one kind of look-up.
pub struct Group<Q: LookUp>(Arc<Mutex<Callers<Q>>>);

struct Callers<Q: LookUp> {
    waiting: VecDeque<(Q, Reply<Q>)>,
    turns: usize,
}

impl<Q: LookUp> Default for Group<Q> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Callers {
            waiting: VecDeque::new(),
            turns: 0,
        })))
    }
}

impl<Q: LookUp> std::fmt::Debug for Group<Q> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Group").finish_non_exhaustive()
    }
}

impl<Q: LookUp> Group<Q> {
    fn callers(&self) -> MutexGuard<'_, Callers<Q>> {
        // Right after every statement.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a caller wait; the job is for a further reader, where one is to take turns.
    pub(super) fn add(&self, question: Q, reply: Reply<Q>) -> Result<Option<ReadJob>, DbError> {
        let mut callers = self.callers();
        if callers.waiting.len() >= WAITING {
            return Err(DbError::Busy);
        }
        callers.waiting.push_back((question, reply));
        if callers.turns >= TURNS {
            return Ok(None);
        }
        callers.turns += 1;
        let turn = Turn {
            group: Self(Arc::clone(&self.0)),
            is_over: false,
        };
        Ok(Some(turn.job()))
    }

    fn take(&self) -> (Vec<Q>, Vec<Reply<Q>>) {
        let mut callers = self.callers();
        let count = callers.waiting.len().min(MOST);
        callers.waiting.drain(..count).unzip()
    }
}

/// A reader's right to ask for a group. Where it is lost, by a panic or a queue that took no more,
/// whoever would wait in vain is told.
struct Turn<Q: LookUp> {
    group: Group<Q>,
    is_over: bool,
}

impl<Q: LookUp> Turn<Q> {
    fn job(self) -> ReadJob {
        Box::new(move |conn| self.run(conn))
    }

    fn run(self, conn: Result<&mut AnyConn, DbError>) -> After {
        let (questions, mut replies) = self.group.take();
        // Dropped before the replies: who learns of a panic finds no turn that is dying.
        let turn = self;
        let mut suspect = false;
        match conn {
            Ok(conn) => suspect = answer(conn, questions, &mut replies),
            Err(error) => refuse(error, &mut replies),
        }
        After {
            suspect,
            next: turn.next(),
        }
    }

    /// The next turn, or the end of them where nobody waits.
    fn next(mut self) -> Option<ReadJob> {
        let mut callers = self.group.callers();
        if callers.waiting.is_empty() {
            callers.turns -= 1;
            drop(callers);
            self.is_over = true;
            return None;
        }
        drop(callers);
        Some(self.job())
    }
}

impl<Q: LookUp> Drop for Turn<Q> {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let mut callers = self.group.callers();
        callers.turns -= 1;
        if callers.turns == 0 {
            for (_, reply) in callers.waiting.drain(..) {
                let _ = reply.send(Err(DbError::Aborted(None)));
            }
        }
    }
}

/// Answers a group; `true` where its connection may be lost. What one question alone breaks is asked
/// one by one, so that it breaks nobody else's.
fn answer<Q: LookUp>(conn: &mut AnyConn, questions: Vec<Q>, replies: &mut Vec<Reply<Q>>) -> bool {
    match Q::answer(conn, &questions) {
        Ok(found) => {
            for (found, reply) in found.into_iter().zip(replies.drain(..)) {
                // The caller may have gone away; then nobody needs the answer.
                let _ = reply.send(Ok(found));
            }
            false
        }
        Err(error) if error.is_transient() || replies.len() == 1 => {
            let suspect = may_be_lost(&error);
            refuse(error, replies);
            suspect
        }
        Err(_) => {
            let mut suspect = false;
            for (question, reply) in questions.into_iter().zip(replies.drain(..)) {
                let found = question.answer_one(conn);
                suspect |= found.as_ref().err().is_some_and(|error| may_be_lost(error));
                let _ = reply.send(found);
            }
            suspect
        }
    }
}

/// Errors of diesel cannot be cloned: the first caller gets the cause.
fn refuse<Q>(error: DbError, replies: &mut Vec<oneshot::Sender<Result<Q, DbError>>>) {
    let mut cause = Some(error);
    for reply in replies.drain(..) {
        let error = cause.take().unwrap_or(DbError::Aborted(None));
        let _ = reply.send(Err(error));
    }
}
