//! The door to the database: nothing acknowledged is ever lost, limits are exact, failures are told.

use std::sync::{Mutex, mpsc};
use std::time::Duration;

use diesel::sql_types::BigInt;
use diesel::{Connection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use futures_util::future::join_all;
use kitward::audit::{self, Actor, Entry, GENESIS, Link};
use kitward::clock::Timestamp;
use kitward::db::{AnyConn, DatabaseUrl, Db, DbError, Shard, WriteTx};
use kitward_tests::{Database, Kind, both};
use secrecy::SecretString;
use tempfile::TempDir;

pub(crate) struct Scratch {
    pub(crate) db: Db,
    pub(crate) url: String,
    _database: Database,
    _folder: TempDir,
}

pub(crate) fn open(url: &str) -> Db {
    Db::open(DatabaseUrl::parse(&SecretString::from(url)).unwrap()).unwrap()
}

pub(crate) async fn scratch(kind: Kind) -> Scratch {
    let folder = TempDir::new().unwrap();
    let database = Database::create(kind, folder.path());
    let db = open(&database.url);
    make_tables(&db).await;
    Scratch {
        db,
        url: database.url.clone(),
        _database: database,
        _folder: folder,
    }
}

pub(crate) async fn make_tables(db: &Db) {
    db.write(Shard::Wide, |tx| {
        run(
            tx,
            "CREATE TABLE rows_written (id BIGINT PRIMARY KEY, filler TEXT NOT NULL)",
        )?;
        run(
            tx,
            "CREATE TABLE seats (id BIGINT PRIMARY KEY, used BIGINT NOT NULL)",
        )?;
        run(tx, "INSERT INTO seats VALUES (1, 0), (2, 0)")
    })
    .await
    .unwrap();
}

pub(crate) fn run(tx: &mut WriteTx<'_>, statement: &str) -> Result<(), DbError> {
    sql_query(statement).execute(tx.conn())?;
    Ok(())
}

pub(crate) fn put(tx: &mut WriteTx<'_>, id: i64) -> Result<(), DbError> {
    run(tx, &format!("INSERT INTO rows_written VALUES ({id}, 'x')"))
}

#[derive(QueryableByName)]
pub(crate) struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

pub(crate) fn numbers(conn: &mut AnyConn, query: &str) -> Result<Vec<i64>, DbError> {
    let rows: Vec<Number> = sql_query(query).load(conn)?;
    Ok(rows.into_iter().map(|row| row.number).collect())
}

pub(crate) async fn written(db: &Db) -> Vec<i64> {
    let query = "SELECT id AS number FROM rows_written ORDER BY id";
    db.read_slow(move |conn| numbers(conn, query))
        .await
        .unwrap()
}

pub(crate) fn claim(tx: &mut WriteTx<'_>, id: i64) -> Result<bool, DbError> {
    let statement = format!("UPDATE seats SET used = used + 1 WHERE id = {id} AND used < 5");
    Ok(sql_query(statement).execute(tx.conn())? == 1)
}

both!(a_limit_is_exact_under_64_concurrent_writers);
async fn a_limit_is_exact_under_64_concurrent_writers(kind: Kind) {
    let scratch = scratch(kind).await;
    let claims = (0..64_u64).map(|n| scratch.db.write(Shard::One(n), |tx| claim(tx, 1)));
    let granted = join_all(claims)
        .await
        .into_iter()
        .filter(|outcome| *outcome.as_ref().unwrap())
        .count();
    assert_eq!(granted, 5);
}

/// How many of three rows a connection of its own sees when the unit of work behind them runs.
async fn rows_committed_before_the_last(write_batch: usize) -> usize {
    let scratch = scratch(Kind::Sqlite).await;
    let url = DatabaseUrl::parse(&SecretString::from(scratch.url.clone())).unwrap();
    let db = Db::open_with(url, write_batch).unwrap();
    let (go, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let first = db.write(Shard::One(0), move |_tx| {
        gate.lock().unwrap().recv().unwrap();
        Ok::<_, DbError>(())
    });
    let rows = (1..=3_u64).map(|number| {
        let id = i64::try_from(number).unwrap();
        db.write(Shard::One(number), move |tx| put(tx, id))
    });
    let path = scratch.url.trim_start_matches("sqlite:").to_owned();
    let last = db.write(Shard::One(4), move |_tx| {
        let mut beside = SqliteConnection::establish(&path).unwrap();
        let query = sql_query("SELECT id AS number FROM rows_written");
        let seen: Vec<Number> = query.load(&mut beside)?;
        Ok::<_, DbError>(seen.len())
    });
    let open = async move { go.send(()).unwrap() };
    let (first, rows, seen, ()) = tokio::join!(first, join_all(rows), last, open);
    assert!(first.is_ok() && rows.iter().all(Result::is_ok));
    seen.unwrap()
}

#[test]
fn as_many_units_of_work_share_a_commit_as_the_configuration_says() {
    kitward_tests::block_on(async {
        assert_eq!(rows_committed_before_the_last(1).await, 3);
        assert_eq!(rows_committed_before_the_last(256).await, 0);
    });
}

both!(failing_and_panicking_jobs_leave_their_neighbors_work_alone);
async fn failing_and_panicking_jobs_leave_their_neighbors_work_alone(kind: Kind) {
    let scratch = scratch(kind).await;
    let jobs = (0..200_i64).map(|id| {
        scratch.db.write(Shard::One(7), move |tx| {
            put(tx, id)?;
            match id % 5 {
                1 => Err(DbError::Inconsistent {
                    table: "-",
                    row: String::new(),
                    what: "test",
                }),
                3 => panic!("a test's panic"),
                _ => Ok(()),
            }
        })
    });
    let outcomes = join_all(jobs).await;
    for (id, outcome) in outcomes.iter().enumerate() {
        match (id % 5, outcome) {
            (1, Err(DbError::Inconsistent { .. })) | (3, Err(DbError::Panicked)) => {}
            (1 | 3, other) => panic!("{id}: {other:?}"),
            (_, outcome) => assert!(outcome.is_ok(), "{id}: {outcome:?}"),
        }
    }
    let expected: Vec<i64> = (0..200).filter(|id| ![1, 3].contains(&(id % 5))).collect();
    assert_eq!(written(&scratch.db).await, expected);
}

both!(a_panic_inside_a_nested_transaction_never_loses_what_was_acknowledged);
async fn a_panic_inside_a_nested_transaction_never_loses_what_was_acknowledged(kind: Kind) {
    let scratch = scratch(kind).await;
    let mut acknowledged: Vec<i64> = Vec::new();
    for round in 0..10_i64 {
        let jobs = (0..20_i64).map(|n| {
            let id = round * 20 + n;
            scratch.db.write(Shard::One(7), move |tx| {
                put(tx, id)?;
                if round % 2 == 0 && n == 9 {
                    tx.unless_taken(|_tx| -> Result<(), DbError> { panic!("a nested panic") })?;
                }
                Ok(())
            })
        });
        let outcomes: Vec<Result<(), DbError>> = join_all(jobs).await;
        // A round without a panic is whole, on the connection that replaced the broken one.
        assert!(
            round % 2 == 0 || outcomes.iter().all(Result::is_ok),
            "{outcomes:?}"
        );
        assert!(round % 2 == 1 || outcomes[9].is_err());
        let done = (round * 20..)
            .zip(&outcomes)
            .filter(|(_, outcome)| outcome.is_ok());
        acknowledged.extend(done.map(|(id, _)| id));
    }
    assert_eq!(written(&scratch.db).await, acknowledged);
}

both!(a_full_queue_is_a_typed_error_and_passes);
async fn a_full_queue_is_a_typed_error_and_passes(kind: Kind) {
    let scratch = scratch(kind).await;
    let (release, gate) = mpsc::channel::<()>();
    let gate = std::sync::Mutex::new(gate);
    let db = scratch.db.clone();
    let (tell, is_inside) = mpsc::channel::<()>();
    let blocker = tokio::spawn(async move {
        db.write(Shard::One(0), move |_tx| -> Result<(), DbError> {
            tell.send(()).unwrap();
            gate.lock().unwrap().recv().unwrap();
            Ok(())
        })
        .await
    });
    let inside = tokio::task::spawn_blocking(move || is_inside.recv().unwrap());
    inside.await.unwrap();
    let jobs: Vec<_> = (0..1_200_i64)
        .map(|id| {
            let db = scratch.db.clone();
            tokio::spawn(async move { db.write(Shard::One(0), move |tx| put(tx, id)).await })
        })
        .collect();
    // Those that the queue has no room for are told so while it is full.
    while jobs.iter().filter(|job| job.is_finished()).count() < 100 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    release.send(()).unwrap();
    blocker.await.unwrap().unwrap();
    let outcomes: Vec<Result<(), DbError>> = join_all(jobs)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    let refused = outcomes
        .iter()
        .filter(|o| matches!(o, Err(DbError::Busy)))
        .count();
    let done = outcomes.iter().filter(|o| o.is_ok()).count();
    assert_eq!(refused + done, 1_200);
    assert!(refused >= 100, "{refused}");
    assert_eq!(written(&scratch.db).await.len(), done);
}

both!(closing_finishes_what_is_queued_and_refuses_the_rest);
async fn closing_finishes_what_is_queued_and_refuses_the_rest(kind: Kind) {
    let scratch = scratch(kind).await;
    let jobs: Vec<_> = (0..300_i64)
        .map(|id| {
            let db = scratch.db.clone();
            tokio::spawn(async move { db.write(Shard::of(&id), move |tx| put(tx, id)).await })
        })
        .collect();
    let db = scratch.db.clone();
    tokio::task::spawn_blocking(move || db.close())
        .await
        .unwrap();
    let mut acknowledged = Vec::new();
    for (id, job) in (0..).zip(jobs) {
        match job.await.unwrap() {
            Ok(()) => acknowledged.push(id),
            Err(DbError::Closed) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    assert!(matches!(
        scratch.db.write(Shard::Wide, |tx| put(tx, -1)).await,
        Err(DbError::Closed)
    ));
    assert_eq!(written(&open(&scratch.url)).await, acknowledged);
}

both!(readers_cannot_write);
async fn readers_cannot_write(kind: Kind) {
    let scratch = scratch(kind).await;
    let write = |conn: &mut AnyConn| -> Result<(), DbError> {
        sql_query("UPDATE seats SET used = 99").execute(conn)?;
        Ok(())
    };
    assert!(scratch.db.read(write).await.is_err());
    assert!(scratch.db.read_slow(write).await.is_err());
}

both!(the_audit_chain_has_no_gaps_and_no_entries_of_failed_jobs);
async fn the_audit_chain_has_no_gaps_and_no_entries_of_failed_jobs(kind: Kind) {
    let scratch = scratch(kind).await;
    let other = open(&scratch.url);
    let at = Timestamp::parse("2027-01-01T00:00:00Z").unwrap();
    let jobs = (0..120_i64).map(|id| {
        let db = if id % 2 == 0 { &scratch.db } else { &other };
        db.write(Shard::of(&id), move |tx| {
            tx.audit(Entry::new(at, Actor::System, "test.done", &id, &["used"]));
            if id % 3 == 0 {
                return Err(DbError::Panicked);
            }
            Ok(())
        })
    });
    join_all(jobs).await;
    let rows = scratch
        .db
        .read_slow(|conn| audit::all(conn).map_err(DbError::from))
        .await
        .unwrap();
    assert_eq!(rows.len(), 80);
    let mut previous = GENESIS.to_vec();
    for (seq, row) in (1..).zip(&rows) {
        let link = Link {
            seq,
            at: row.at,
            actor: &row.actor,
            action: &row.action,
            subject: &row.subject,
            fields: &row.fields,
            commitment: row.commitment.as_deref(),
        };
        assert_eq!((row.seq, &row.previous_hash), (seq, &previous));
        assert_eq!(row.hash, link.hash(&previous));
        assert_ne!(row.subject.parse::<i64>().unwrap() % 3, 0);
        previous.clone_from(&row.hash);
    }
    let head = scratch
        .db
        .read_slow(|conn| audit::head(conn).map_err(DbError::from))
        .await
        .unwrap();
    assert_eq!(head, Some((80, previous)));
}

both!(a_refusal_that_rests_on_a_lost_row_is_not_told_as_a_fact);
async fn a_refusal_that_rests_on_a_lost_row_is_not_told_as_a_fact(kind: Kind) {
    #[derive(Debug, thiserror::Error)]
    enum PutError {
        #[error("taken")]
        Taken,
        #[error("the database failed")]
        Db(#[from] DbError),
    }
    let scratch = scratch(kind).await;
    let put_once = |tx: &mut WriteTx<'_>| match tx.unless_taken(|tx| put(tx, 1))? {
        Some(()) => Ok(()),
        None => Err(PutError::Taken),
    };
    // The writer is held up until all three wait, so that they share a batch.
    let (release, gate) = mpsc::channel::<()>();
    let (inside, entered) = mpsc::channel::<()>();
    let gate = std::sync::Mutex::new((inside, gate));
    let db = scratch.db.clone();
    let hold = tokio::spawn(async move {
        db.write(Shard::One(7), move |_tx| -> Result<(), DbError> {
            let gate = gate.lock().unwrap();
            gate.0.send(()).unwrap();
            gate.1.recv().unwrap();
            Ok(())
        })
        .await
    });
    tokio::task::spawn_blocking(move || entered.recv().unwrap())
        .await
        .unwrap();
    let broken = scratch
        .db
        .write(Shard::One(7), |tx| -> Result<(), DbError> {
            tx.unless_taken(|_tx| -> Result<(), DbError> { panic!("a nested panic") })?;
            Ok(())
        });
    let open_gate = async {
        while scratch.db.waiting_writes() < 3 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        release.send(()).unwrap();
    };
    let (first, second, broken, ()) = tokio::join!(
        scratch.db.write(Shard::One(7), put_once),
        scratch.db.write(Shard::One(7), put_once),
        broken,
        open_gate,
    );
    hold.await.unwrap().unwrap();
    assert!(
        matches!(broken, Err(DbError::Panicked | DbError::Aborted(_))),
        "{broken:?}"
    );
    assert!(matches!(first, Err(PutError::Db(_))), "{first:?}");
    assert!(
        matches!(second, Err(PutError::Db(_))),
        "nothing is taken: {second:?}"
    );
    assert!(written(&scratch.db).await.is_empty());
}

#[test]
fn a_panic_in_a_read_leaves_no_stale_snapshot_behind() {
    kitward_tests::block_on(async {
        let scratch = scratch(Kind::Sqlite).await;
        let db = scratch.db.clone();
        let read = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .build()
                .unwrap();
            let broken = std::panic::AssertUnwindSafe(|| {
                let _ = runtime.block_on(db.read_snapshot(|conn| -> Result<(), DbError> {
                    numbers(conn, "SELECT used AS number FROM seats")?;
                    panic!("a panic in a read")
                }));
            });
            assert!(std::panic::catch_unwind(broken).is_err());
            runtime.block_on(async {
                db.write(Shard::Wide, |tx| claim(tx, 1)).await.unwrap();
                let query = "SELECT used AS number FROM seats WHERE id = 1";
                let inline = db.read(move |conn| numbers(conn, query)).await.unwrap();
                let again = db
                    .read_snapshot(move |conn| numbers(conn, query))
                    .await
                    .unwrap();
                (inline, again)
            })
        });
        assert_eq!(read.join().unwrap(), (vec![1], vec![1]));
    });
}
