//! Look-ups that many make at once: each caller gets the answer to its own question, and only whoever
//! asks what cannot be answered is refused.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use diesel::{RunQueryDsl, sql_query};
use futures_util::future::{join, join_all};
use kitward::db::{AnyConn, Db, DbError, Group, LookUp};
use kitward_tests::{Kind, both};

use crate::database::{numbers, scratch};

/// Asks the database for a number, and counts the statements that took.
#[derive(Clone)]
struct Double {
    number: i64,
    asked: Arc<Sizes>,
    gate: Option<Arc<Mutex<mpsc::Receiver<()>>>>,
}

#[derive(Default)]
struct Sizes {
    statements: AtomicUsize,
    largest: AtomicUsize,
}

impl LookUp for Double {
    type Found = i64;

    fn answer(conn: &mut AnyConn, questions: &[Self]) -> Result<Vec<i64>, DbError> {
        let Some(first) = questions.first() else {
            return Ok(Vec::new());
        };
        if let Some(gate) = &first.gate {
            let _ = gate.lock().unwrap().recv();
        }
        first.asked.statements.fetch_add(1, Ordering::Relaxed);
        first
            .asked
            .largest
            .fetch_max(questions.len(), Ordering::Relaxed);
        for question in questions {
            match question.number {
                13 => {
                    sql_query("SELECT no_such_column").execute(conn)?;
                }
                666 => panic!("a defect of a look-up"),
                _ => {}
            }
        }
        let each = questions
            .iter()
            .map(|it| format!("SELECT CAST({} AS BIGINT) AS number", it.number * 2));
        numbers(conn, &each.collect::<Vec<_>>().join(" UNION ALL "))
    }
}

fn double(number: i64, asked: &Arc<Sizes>) -> Double {
    Double {
        number,
        asked: Arc::clone(asked),
        gate: None,
    }
}

async fn ask(db: &Db, group: &Group<Double>, all: Vec<Double>) -> Vec<Result<i64, DbError>> {
    join_all(all.into_iter().map(|one| db.read_grouped(group, one))).await
}

both!(each_caller_gets_the_answer_to_its_own_question);
async fn each_caller_gets_the_answer_to_its_own_question(kind: Kind) {
    let (scratch, group, asked) = (scratch(kind).await, Group::default(), Arc::default());
    for _ in 0..10 {
        let all = (1_000..1_300).map(|number| double(number, &asked));
        let found = ask(&scratch.db, &group, all.collect()).await;
        for (number, found) in (1_000..1_300).zip(found) {
            assert_eq!(found.unwrap(), number * 2);
        }
    }
    let statements = asked.statements.load(Ordering::Relaxed);
    match kind {
        Kind::Sqlite => assert_eq!(statements, 3_000),
        // Those that wait together are asked together, 64 at most.
        Kind::Postgres => assert!((50..1_000).contains(&statements), "{statements}"),
    }
    assert!(asked.largest.load(Ordering::Relaxed) <= 64);
}

both!(what_cannot_be_answered_refuses_nobody_else);
async fn what_cannot_be_answered_refuses_nobody_else(kind: Kind) {
    let (scratch, group, asked) = (scratch(kind).await, Group::default(), Arc::default());
    for _ in 0..5 {
        let all = (1..=40).map(|number| double(number, &asked));
        let found = ask(&scratch.db, &group, all.collect()).await;
        for (number, found) in (1..=40).zip(found) {
            if number == 13 {
                assert!(matches!(found, Err(DbError::Query(_))), "{found:?}");
            } else {
                assert_eq!(found.unwrap(), number * 2);
            }
        }
    }
}

#[test]
fn a_panic_is_told_and_the_next_are_answered() {
    kitward_tests::run_on(Kind::Postgres, |kind| async move {
        let (scratch, group, asked) = (scratch(kind).await, Group::default(), Arc::default());
        for _ in 0..20 {
            let defect = scratch.db.read_grouped(&group, double(666, &asked)).await;
            assert!(matches!(defect, Err(DbError::Panicked)), "{defect:?}");
            let next = scratch.db.read_grouped(&group, double(4, &asked)).await;
            assert_eq!(next.unwrap(), 8);
        }
        // Beside others, those that were asked with it are told; nobody waits for ever.
        let all = (660..700).map(|number| double(number, &asked));
        let found = ask(&scratch.db, &group, all.collect()).await;
        assert!(found.iter().any(Result::is_err));
        for found in &found {
            assert!(
                matches!(found, Ok(_) | Err(DbError::Panicked | DbError::Aborted(_))),
                "{found:?}"
            );
        }
    });
}

#[test]
fn a_lost_connection_fails_its_group_and_the_next_are_answered() {
    kitward_tests::run_on(Kind::Postgres, |kind| async move {
        let (scratch, group, asked) = (scratch(kind).await, Group::default(), Arc::default());
        let all = |asked: &Arc<Sizes>| (1_000..1_100).map(|it| double(it, asked)).collect();
        let found = ask(&scratch.db, &group, all(&asked)).await;
        assert!(found.iter().all(Result::is_ok));
        end_connections(&scratch.db).await;
        // Each of the readers learns by its own next statement that its connection is gone.
        let mut rounds = 0;
        loop {
            let found = ask(&scratch.db, &group, all(&asked)).await;
            for found in &found {
                let told = found.as_ref().err().is_none_or(DbError::is_transient);
                assert!(told, "{found:?}");
            }
            rounds += 1;
            if rounds > 8 && found.iter().all(Result::is_ok) {
                break;
            }
            assert!(rounds < 100, "the readers never came back");
        }
    });
}

/// Ends every other connection to the database.
async fn end_connections(db: &Db) {
    let ended = db.read(|conn| {
        numbers(
            conn,
            "SELECT count(pg_terminate_backend(pid)) AS number FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
    });
    ended.await.unwrap();
}

#[test]
fn who_waits_beyond_the_limit_is_refused_at_once() {
    kitward_tests::run_on(Kind::Postgres, |kind| async move {
        let (scratch, group, asked) = (scratch(kind).await, Group::default(), Arc::default());
        let (open, gate) = mpsc::channel();
        let gate = Some(Arc::new(Mutex::new(gate)));
        let all = (1_000..2_500).map(|number| Double {
            gate: gate.clone(),
            ..double(number, &asked)
        });
        let all: Vec<_> = all.collect();
        let opener = async {
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
            drop(open);
        };
        let (found, ()) = join(ask(&scratch.db, &group, all), opener).await;
        let busy = found
            .iter()
            .filter(|found| matches!(found, Err(DbError::Busy)))
            .count();
        assert!((300..=476).contains(&busy), "{busy}");
        assert!(found.iter().filter(|found| found.is_ok()).count() >= 1_024);
    });
}
