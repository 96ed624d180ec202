//! What `price`, `order` and `event` take.

use std::path::PathBuf;

use clap::Subcommand;

use crate::payments::model::QuantityRule;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum PriceCommand {
    /// Map a price of the provider to policies.
    Create {
        /// The provider's id: `price_…`.
        external_id: String,
        /// Policy by id or name; may be given several times.
        #[arg(long = "policy", required = true)]
        policies: Vec<String>,
        /// What a quantity of N means.
        #[arg(long, default_value = "licenses")]
        quantity_rule: QuantityRule,
    },
    /// Show a price.
    Show {
        /// Its id.
        price: String,
    },
    /// List prices.
    List,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum OrderCommand {
    /// Show an order.
    Show {
        /// Its id.
        order: String,
    },
    /// List orders.
    List,
    /// Write all orders into a file: .csv or .json.
    Export { file: PathBuf },
    /// Issue what an order still lacks, after its prices were mapped.
    Fulfil {
        /// Its id.
        order: String,
    },
    /// Send its mail once more, with the present keys of its licenses.
    Resend {
        /// Its id.
        order: String,
    },
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum EventCommand {
    /// List events.
    List,
    /// Try a failed event anew.
    Retry {
        /// Its id.
        event: String,
    },
}
