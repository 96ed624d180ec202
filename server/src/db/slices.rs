//! Lists of values that may be longer than what one statement can bind.

use super::DbError;

/// How many values one statement binds for a list: SQLite takes 32 766 in all, PostgreSQL 65 535.
const BOUND_MAX: usize = 10_000;

/// What `read` finds for all values, which it is given so many at a time. Rows of one slice stand behind
/// those of the one before: where the order matters, the caller sorts.
pub fn in_slices<T, R>(
    values: &[T],
    read: impl FnMut(&[T]) -> Result<Vec<R>, DbError>,
) -> Result<Vec<R>, DbError> {
    let slices: Vec<Vec<R>> = values
        .chunks(BOUND_MAX)
        .map(read)
        .collect::<Result<_, _>>()?;
    Ok(slices.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_asked_for_once_and_none_where_there_is_none() {
        let values: Vec<usize> = (0..=2 * BOUND_MAX).collect();
        let mut asked = 0;
        let found = in_slices(&values, |slice| {
            asked += 1;
            assert!(slice.len() <= BOUND_MAX);
            Ok(slice.to_vec())
        });
        assert_eq!(found.unwrap(), values);
        assert_eq!(asked, 3);
        let none = in_slices(&[], |_slice: &[u8]| -> Result<Vec<u8>, DbError> {
            panic!("nothing is asked for")
        });
        assert!(none.unwrap().is_empty());
    }
}
