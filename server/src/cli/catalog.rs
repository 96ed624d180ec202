//! Kits, prices, orders and tokens, over HTTP.

use serde_json::{Map, Value, json};

use super::arguments::{EventCommand, KitCommand, OrderCommand, PriceCommand};
use super::client::Client;
use super::export::export;
use super::output::{Failed, Output, lines, table};

pub(super) fn show(output: Output, value: &Value) {
    output.show(&lines(value), value);
}

pub(super) async fn list(
    output: Output,
    path: &[&str],
    filter: &[(&str, &str)],
    columns: &[&str],
) -> Result<(), Failed> {
    let rows = Client::from_environment()?.list(path, filter).await?;
    output.show(&table(&rows, columns), &Value::from(rows.clone()));
    Ok(())
}

pub(super) async fn get(output: Output, path: &[&str]) -> Result<(), Failed> {
    show(output, &Client::from_environment()?.get(path).await?);
    Ok(())
}

pub(super) async fn post(output: Output, path: &[&str], body: &Value) -> Result<(), Failed> {
    show(output, &Client::from_environment()?.post(path, body).await?);
    Ok(())
}

pub(super) async fn patch(output: Output, path: &[&str], body: &Value) -> Result<(), Failed> {
    show(
        output,
        &Client::from_environment()?.patch(path, body).await?,
    );
    Ok(())
}

pub(super) async fn kit(command: KitCommand, output: Output) -> Result<(), Failed> {
    match command {
        KitCommand::List => list(output, &["kits"], &[], &["slug", "name", "status", "id"]).await,
        KitCommand::Show { kit } => get(output, &["kits", &kit]).await,
        KitCommand::Create {
            slug,
            name,
            description,
            homepage,
            ecosystems,
            status,
            open,
            stamps,
        } => {
            let body = json!({
                "slug": slug, "name": name, "description": description, "homepage": homepage,
                "ecosystems": ecosystems, "status": status, "is_open": open, "stamps": stamps,
            });
            post(output, &["kits"], &body).await
        }
        KitCommand::Edit {
            kit,
            slug,
            name,
            description,
            homepage,
            status,
            open,
            stamps,
        } => {
            let mut body = Map::new();
            let texts = [
                ("slug", slug),
                ("name", name),
                ("description", description),
                ("homepage", homepage),
            ];
            for (field, text) in texts {
                if let Some(text) = text {
                    body.insert(field.to_owned(), text.into());
                }
            }
            if let Some(status) = status {
                body.insert("status".to_owned(), status.as_str().into());
            }
            if let Some(open) = open {
                body.insert("is_open".to_owned(), open.into());
            }
            if let Some(stamps) = stamps {
                body.insert("stamps".to_owned(), stamps.into());
            }
            patch(output, &["kits", &kit], &Value::Object(body)).await
        }
    }
}

pub(super) async fn price(command: PriceCommand, output: Output) -> Result<(), Failed> {
    match command {
        PriceCommand::List => {
            list(
                output,
                &["prices"],
                &[],
                &["external_id", "mode", "quantity_rule", "id"],
            )
            .await
        }
        PriceCommand::Show { price } => get(output, &["prices", &price]).await,
        PriceCommand::Create {
            external_id,
            policies,
            quantity_rule,
        } => {
            let body = json!({
                "external_id": external_id, "policies": policies, "quantity_rule": quantity_rule,
            });
            post(output, &["prices"], &body).await
        }
    }
}

pub(super) async fn order(command: OrderCommand, output: Output) -> Result<(), Failed> {
    match command {
        OrderCommand::List => {
            let columns = ["id", "status", "email", "total", "currency", "purchased_at"];
            list(output, &["orders"], &[], &columns).await
        }
        OrderCommand::Export { file } => export(output, "orders", &[], &file).await,
        OrderCommand::Show { order } => get(output, &["orders", &order]).await,
        OrderCommand::Fulfil { order } => {
            post(output, &["orders", &order, "fulfil"], &json!({})).await
        }
        OrderCommand::Resend { order } => {
            post(output, &["orders", &order, "resend"], &json!({})).await
        }
    }
}

pub(super) async fn event(command: EventCommand, output: Output) -> Result<(), Failed> {
    match command {
        EventCommand::List => {
            let columns = ["id", "status", "event_type", "object_id", "received_at"];
            list(output, &["events"], &[], &columns).await
        }
        EventCommand::Retry { event } => {
            post(output, &["events", &event, "retry"], &json!({})).await
        }
    }
}

pub(super) async fn storage(output: Output) -> Result<(), Failed> {
    get(output, &["storage"]).await
}

pub(super) async fn tokens(output: Output) -> Result<(), Failed> {
    let columns = ["id", "name", "scopes", "expires_at", "revoked_at"];
    list(output, &["tokens"], &[], &columns).await
}

pub(super) async fn revoke_token(token: &str, output: Output) -> Result<(), Failed> {
    post(output, &["tokens", token, "revoke"], &json!({})).await
}
