//! What a link that switches mails off names, and how it is written.

use super::{Hearer, NoticeKind};
use crate::customers::model::CustomerId;
use crate::kits::model::KitId;
use crate::people::model::PersonId;

/// Stands for all kits.
const ALL: &str = "all";

/// Whose mails about what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Who gets them.
    pub hearer: Hearer,
    /// About this kit; `None` = about all.
    pub kit: Option<KitId>,
    /// What they tell; advisories, to a buyer.
    pub kind: NoticeKind,
}

impl Subject {
    /// Its one spelling, which is what the check behind it covers.
    pub fn text(&self) -> String {
        let (letter, who) = match (&self.hearer, self.kind) {
            (Hearer::Person(person), NoticeKind::NewVersion) => ('v', person.as_str()),
            (Hearer::Person(person), NoticeKind::Advisory) => ('a', person.as_str()),
            (Hearer::Buyer(buyer), NoticeKind::NewVersion | NoticeKind::Advisory) => {
                ('b', buyer.as_str())
            }
        };
        let kit = self.kit.as_ref().map_or(ALL, |kit| bare(kit.as_str()));
        format!("{letter}-{}-{kit}", bare(who))
    }

    /// Reads that spelling.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (letter, who, kit) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let kit = match kit {
            ALL => None,
            kit => Some(KitId::parse(&format!("{}_{kit}", KitId::PREFIX))?),
        };
        let person = || PersonId::parse(&format!("{}_{who}", PersonId::PREFIX));
        let buyer = || CustomerId::parse(&format!("{}_{who}", CustomerId::PREFIX));
        let (hearer, kind) = match letter {
            "v" => (Hearer::Person(person()?), NoticeKind::NewVersion),
            "a" => (Hearer::Person(person()?), NoticeKind::Advisory),
            "b" => (Hearer::Buyer(buyer()?), NoticeKind::Advisory),
            _ => return None,
        };
        Some(Self { hearer, kit, kind })
    }
}

/// An id without its prefix.
fn bare(id: &str) -> &str {
    id.split_once('_').map_or(id, |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::entropy::SeededEntropy;

    #[test]
    fn a_subject_is_read_as_it_was_written() {
        let (now, entropy) = (
            Timestamp::parse("2027-01-15T12:00:00Z").unwrap(),
            SeededEntropy::new(3),
        );
        let person = || Hearer::Person(PersonId::new(now, &entropy));
        let buyer = Hearer::Buyer(CustomerId::new(now, &entropy));
        for (hearer, kind) in [
            (person(), NoticeKind::NewVersion),
            (person(), NoticeKind::Advisory),
            (buyer, NoticeKind::Advisory),
        ] {
            for kit in [None, Some(KitId::new(now, &entropy))] {
                let hearer = hearer.clone();
                let subject = Subject { hearer, kit, kind };
                assert_eq!(Subject::parse(&subject.text()), Some(subject));
            }
        }
        for text in [
            "",
            "v",
            "v-x-all",
            "v-01h2xcejqtf2nbrexx3vqjhp41-all-x",
            "x-01h2xcejqtf2nbrexx3vqjhp41-all",
        ] {
            assert_eq!(Subject::parse(text), None, "{text}");
        }
    }
}
