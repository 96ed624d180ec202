//! Disks that are full, servers that are killed, rows that others hold.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use diesel::sql_types::BigInt;
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use futures_util::future::join_all;
use kitward::db::{Db, DbError, Shard, WriteTx};
use kitward_tests::{Kind, OwnCluster};

use crate::database::{claim, make_tables, numbers, open, put, run, scratch, written};

#[test]
fn a_full_disk_refuses_and_recovers() {
    kitward_tests::block_on(async {
        let scratch = scratch(Kind::Sqlite).await;
        let pages = scratch
            .db
            .write(Shard::Wide, |tx| {
                #[derive(QueryableByName)]
                struct Pages {
                    #[diesel(sql_type = BigInt)]
                    page_count: i64,
                }
                let rows: Vec<Pages> = sql_query("PRAGMA page_count").load(tx.conn())?;
                let now = rows[0].page_count;
                sql_query(format!("PRAGMA max_page_count = {}", now + 8)).execute(tx.conn())?;
                Ok::<i64, DbError>(now)
            })
            .await
            .unwrap();
        assert!(pages > 0);
        let jobs = (0..60_i64).map(|id| {
            scratch.db.write(Shard::One(1), move |tx| {
                let filler = "y".repeat(if id % 3 == 0 { 40_000 } else { 10 });
                run(
                    tx,
                    &format!("INSERT INTO rows_written VALUES ({id}, '{filler}')"),
                )
            })
        });
        let outcomes: Vec<Result<(), DbError>> = join_all(jobs).await;
        assert!(
            outcomes.iter().any(Result::is_err),
            "the disk was never full"
        );
        let acknowledged: Vec<i64> = (0..)
            .zip(&outcomes)
            .filter(|(_, o)| o.is_ok())
            .map(|(id, _)| id)
            .collect();
        assert_eq!(written(&scratch.db).await, acknowledged);
        let raise = |tx: &mut WriteTx<'_>| run(tx, "PRAGMA max_page_count = 1000000");
        // The first attempt may meet the connection that failed.
        let _ = scratch.db.write(Shard::Wide, raise).await;
        scratch
            .db
            .write(Shard::One(1), |tx| put(tx, 9_999))
            .await
            .unwrap();
    });
}

#[test]
fn postgres_killed_and_restarted_under_load_fails_then_recovers() {
    kitward_tests::run_on(Kind::Postgres, |_kind| async {
        let cluster = OwnCluster::start();
        let db = open(&cluster.url());
        make_tables(&db).await;
        let stop = Arc::new(AtomicBool::new(false));
        let load: Vec<_> = (0..8_i64)
            .map(|lane| tokio::spawn(hammer(db.clone(), lane, Arc::clone(&stop))))
            .collect();
        tokio::time::sleep(Duration::from_millis(300)).await;
        cluster.kill();
        tokio::time::sleep(Duration::from_millis(500)).await;
        cluster.restart();
        let until = Instant::now() + Duration::from_secs(20);
        while db.write(Shard::One(3), |tx| put(tx, -1)).await.is_err() {
            assert!(Instant::now() < until, "no recovery");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        stop.store(true, Ordering::Release);
        let mut failures = 0;
        let mut acknowledged = vec![-1];
        for lane in load {
            let (done, failed) = lane.await.unwrap();
            acknowledged.extend(done);
            failures += failed;
        }
        assert!(failures > 0, "nothing failed while the server was down");
        let found = written(&db).await;
        assert!(
            acknowledged.iter().all(|id| found.contains(id)),
            "an acknowledged row is gone"
        );
        for _ in 0..16 {
            db.read(|conn| numbers(conn, "SELECT used AS number FROM seats"))
                .await
                .unwrap();
        }
    });
}

async fn hammer(db: Db, lane: i64, stop: Arc<AtomicBool>) -> (Vec<i64>, usize) {
    let (mut done, mut failed) = (Vec::new(), 0);
    for n in 0.. {
        if stop.load(Ordering::Acquire) {
            break;
        }
        let id = lane * 1_000_000 + n;
        match db.write(Shard::of(&id), move |tx| put(tx, id)).await {
            Ok(()) => done.push(id),
            Err(_) => failed += 1,
        }
        if db
            .read_slow(|conn| numbers(conn, "SELECT used AS number FROM seats"))
            .await
            .is_err()
        {
            failed += 1;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    (done, failed)
}

#[test]
fn two_executors_on_one_postgres_keep_the_limit_and_end_their_deadlocks() {
    kitward_tests::run_on(Kind::Postgres, |kind| async move {
        let scratch = scratch(kind).await;
        let other = open(&scratch.url);
        let claims = (0..64_u64).map(|n| {
            let db = if n % 2 == 0 { &scratch.db } else { &other };
            db.write(Shard::One(n), |tx| claim(tx, 1))
        });
        let granted = join_all(claims)
            .await
            .into_iter()
            .filter(|o| *o.as_ref().unwrap())
            .count();
        assert_eq!(granted, 5);
        // Locks taken in opposite orders, on purpose.
        let crossing = (0..12_u64).map(|n| {
            let (db, first, second) = if n % 2 == 0 {
                (&scratch.db, 1, 2)
            } else {
                (&other, 2, 1)
            };
            db.write(Shard::Wide, move |tx| {
                run(
                    tx,
                    &format!("UPDATE seats SET used = used + 1 WHERE id = {first}"),
                )?;
                run(tx, "SELECT pg_sleep(0.05)")?;
                run(
                    tx,
                    &format!("UPDATE seats SET used = used + 1 WHERE id = {second}"),
                )
            })
        });
        for outcome in join_all(crossing).await {
            outcome.unwrap();
        }
        let query = "SELECT used AS number FROM seats ORDER BY id";
        let used = other.read(move |conn| numbers(conn, query)).await.unwrap();
        assert_eq!(used, [5 + 12, 12]);
    });
}

#[test]
fn a_held_row_stops_its_neighbors_for_seconds_only() {
    kitward_tests::run_on(Kind::Postgres, |kind| async move {
        let scratch = scratch(kind).await;
        let url = scratch.url.clone();
        let (release, gate) = mpsc::channel::<()>();
        let (tell, is_held) = tokio::sync::oneshot::channel::<()>();
        let holder = std::thread::spawn(move || {
            use diesel::Connection;
            use diesel::connection::SimpleConnection;
            let mut conn = diesel::PgConnection::establish(&url).unwrap();
            conn.batch_execute("BEGIN; UPDATE seats SET used = used WHERE id = 1")
                .unwrap();
            tell.send(()).unwrap();
            let _ = gate.recv_timeout(Duration::from_mins(1));
        });
        is_held.await.unwrap();
        let started = Instant::now();
        let (held, neighbor) = tokio::join!(
            scratch.db.write(Shard::One(3), |tx| claim(tx, 1)),
            scratch.db.write(Shard::One(3), |tx| claim(tx, 2)),
        );
        // The bound of the writer is 3 s of retries of 2 s each; the old one was 90 s.
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "{:?}",
            started.elapsed()
        );
        assert!(held.is_err_and(|error| error.is_transient()));
        assert!(neighbor.unwrap());
        release.send(()).unwrap();
        holder.join().unwrap();
    });
}
