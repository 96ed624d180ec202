//! Tables as diesel sees them; the suite compares them with the migrated databases.

diesel::table! {
    installation (id) {
        id -> Integer,
        installation_id -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    wrapped_keys (id) {
        id -> Text,
        purpose -> Text,
        wrapped -> Binary,
        created_at -> Timestamp,
    }
}

diesel::table! {
    signing_keys (kid) {
        kid -> Text,
        purpose -> Text,
        state -> Text,
        public_key -> Binary,
        private_key -> Binary,
        created_at -> Timestamp,
        state_since -> Nullable<Timestamp>,
        activates_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    key_ring (id) {
        id -> Integer,
        version -> BigInt,
        document -> Nullable<Text>,
        document_ends_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    audit_head (id) {
        id -> Integer,
        seq -> BigInt,
        hash -> Binary,
    }
}

diesel::table! {
    audit_log (seq) {
        seq -> BigInt,
        at -> Timestamp,
        actor -> Text,
        action -> Text,
        subject -> Text,
        fields -> Text,
        commitment -> Nullable<Binary>,
        previous_hash -> Binary,
        hash -> Binary,
    }
}

diesel::table! {
    audit_details (seq) {
        seq -> BigInt,
        salt -> Binary,
        personal -> Text,
    }
}

diesel::table! {
    audit_checkpoints (seq) {
        seq -> BigInt,
        hash -> Binary,
        at -> Timestamp,
        token -> Text,
    }
}

diesel::table! {
    api_tokens (id) {
        id -> Text,
        name -> Text,
        digest -> Binary,
        scopes -> Text,
        created_at -> Timestamp,
        expires_at -> Nullable<Timestamp>,
        revoked_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    idempotency_keys (digest) {
        digest -> Binary,
        request_digest -> Binary,
        resource -> Text,
        secret -> Nullable<Binary>,
        created_at -> Timestamp,
    }
}

diesel::table! {
    kits (id) {
        id -> Text,
        slug -> Text,
        name -> Text,
        description -> Text,
        homepage -> Nullable<Text>,
        ecosystems -> Text,
        status -> Text,
        is_open -> Bool,
        version -> BigInt,
        created_at -> Timestamp,
        stamps -> Bool,
    }
}

diesel::table! {
    kit_aliases (slug) {
        slug -> Text,
        kit_id -> Text,
    }
}

diesel::table! {
    policies (id) {
        id -> Text,
        name -> Text,
        version -> BigInt,
        created_at -> Timestamp,
        terms_number -> Integer,
        renew_url -> Nullable<Text>,
        template -> Nullable<Text>,
    }
}

diesel::table! {
    license_texts (id) {
        id -> Text,
        name -> Text,
        number -> Integer,
        body -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    terms (id) {
        id -> Text,
        policy_id -> Text,
        number -> Integer,
        edition -> Text,
        license_text_id -> Nullable<Text>,
        scope -> Text,
        seat_kind -> Text,
        seat_limit -> Nullable<Integer>,
        lease_seconds -> Nullable<Integer>,
        overage_seats -> Nullable<Integer>,
        overage_percent -> Nullable<Integer>,
        churn_seats -> Nullable<Integer>,
        churn_days -> Nullable<Integer>,
        free_unseen_days -> Nullable<Integer>,
        staging_hosts -> Text,
        valid_months -> Nullable<Integer>,
        valid_days -> Nullable<Integer>,
        basis -> Text,
        on_lapse -> Text,
        keep_after_paid_months -> Integer,
        updates_months -> Nullable<Integer>,
        security_grace_days -> Integer,
        grace_days -> Integer,
        license_file_days -> Integer,
        offline_file_days -> Nullable<Integer>,
        entitlements -> Text,
        ci_use -> Bool,
        created_at -> Timestamp,
        downloads_per_day -> Nullable<Integer>,
        download_networks_per_day -> Nullable<Integer>,
    }
}

diesel::table! {
    terms_kits (terms_id, kit_id) {
        terms_id -> Text,
        kit_id -> Text,
    }
}

diesel::table! {
    prices (id) {
        id -> Text,
        provider -> Text,
        mode -> Text,
        external_id -> Text,
        quantity_rule -> Text,
        version -> BigInt,
        created_at -> Timestamp,
    }
}

diesel::table! {
    price_policies (price_id, policy_id) {
        price_id -> Text,
        policy_id -> Text,
    }
}

diesel::table! {
    people (id) {
        id -> Text,
        name -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    person_emails (address) {
        address -> Text,
        person_id -> Text,
        as_typed -> Text,
        verified_at -> Timestamp,
    }
}

diesel::table! {
    customers (id) {
        id -> Text,
        name -> Text,
        claim_address -> Nullable<Text>,
        created_at -> Timestamp,
        version -> BigInt,
    }
}

diesel::table! {
    memberships (customer_id, person_id) {
        customer_id -> Text,
        person_id -> Text,
        role -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    provider_customers (provider, mode, external_id) {
        provider -> Text,
        mode -> Text,
        external_id -> Text,
        customer_id -> Text,
    }
}

diesel::table! {
    sign_ins (id) {
        id -> Text,
        address -> Text,
        as_typed -> Text,
        browser_digest -> Nullable<Binary>,
        link_digest -> Binary,
        code_digest -> Nullable<Binary>,
        tries -> Integer,
        return_to -> Nullable<Text>,
        created_at -> Timestamp,
        expires_at -> Timestamp,
        consumed_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    sessions (digest) {
        digest -> Binary,
        person_id -> Text,
        created_at -> Timestamp,
        expires_at -> Timestamp,
        ended_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    orders (id) {
        id -> Text,
        provider -> Text,
        mode -> Text,
        business_key -> Text,
        payment_ref -> Nullable<Text>,
        customer_id -> Text,
        email -> Text,
        billing_name -> Nullable<Text>,
        tax_id -> Nullable<Text>,
        currency -> Text,
        subtotal -> BigInt,
        tax -> BigInt,
        total -> BigInt,
        status -> Text,
        purchased_at -> Timestamp,
        created_at -> Timestamp,
    }
}

diesel::table! {
    order_items (id) {
        id -> Text,
        order_id -> Text,
        line_key -> Text,
        external_price -> Nullable<Text>,
        external_product -> Nullable<Text>,
        price_id -> Nullable<Text>,
        description -> Text,
        quantity -> BigInt,
        subtotal -> BigInt,
        tax -> BigInt,
        total -> BigInt,
    }
}

diesel::table! {
    licenses (id) {
        id -> Text,
        customer_id -> Text,
        policy_id -> Text,
        terms_id -> Text,
        order_item_id -> Nullable<Text>,
        ordinal -> Integer,
        seat_limit -> Nullable<Integer>,
        seat_cap -> Nullable<Integer>,
        seats_used -> Integer,
        base_state -> Text,
        starts_at -> Timestamp,
        first_activated_at -> Nullable<Timestamp>,
        valid_until -> Nullable<Timestamp>,
        updates_until -> Nullable<Timestamp>,
        past_due_since -> Nullable<Timestamp>,
        lapsed_at -> Nullable<Timestamp>,
        paid_months -> Integer,
        over_limit_until -> Nullable<Timestamp>,
        merged_into -> Nullable<Text>,
        extra_entitlements -> Text,
        metadata -> Text,
        version -> BigInt,
        created_at -> Timestamp,
        owned_since -> Nullable<Timestamp>,
        revision -> BigInt,
    }
}

diesel::table! {
    license_notes (id) {
        id -> Text,
        license_id -> Text,
        author -> Text,
        body -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    license_tokens (id) {
        id -> Text,
        license_id -> Text,
        license_key_id -> Nullable<Text>,
        person_id -> Nullable<Text>,
        kind -> Text,
        name -> Text,
        hint -> Text,
        digest -> Binary,
        origins -> Text,
        created_at -> Timestamp,
        expires_at -> Nullable<Timestamp>,
        revoked_at -> Nullable<Timestamp>,
        flagged_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    token_origins (origin, token_id) {
        origin -> Text,
        token_id -> Text,
    }
}

diesel::table! {
    activation_events (id) {
        id -> Text,
        license_id -> Text,
        activation_id -> Text,
        kind -> Text,
        by_whom -> Text,
        at -> Timestamp,
    }
}

diesel::table! {
    license_keys (id) {
        id -> Text,
        license_id -> Text,
        lookup -> Binary,
        sealed_key -> Binary,
        key_hint -> Text,
        created_at -> Timestamp,
        replaced_at -> Nullable<Timestamp>,
        source -> Text,
        is_primary -> Bool,
        honored_until -> Nullable<Timestamp>,
    }
}

diesel::table! {
    license_holds (id) {
        id -> Text,
        license_id -> Text,
        kind -> Text,
        reason -> Text,
        cause -> Text,
        opened_at -> Timestamp,
        closed_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    activations (id) {
        id -> Text,
        license_id -> Text,
        kind -> Text,
        identity -> Text,
        name -> Text,
        version -> Nullable<Text>,
        platform -> Nullable<Text>,
        created_at -> Timestamp,
        last_seen_at -> Timestamp,
        freed_at -> Nullable<Timestamp>,
        lease_ends_at -> Nullable<Timestamp>,
        freed_reason -> Nullable<Text>,
        offline_until -> Nullable<Timestamp>,
    }
}

diesel::table! {
    catalogs (kit_id) {
        kit_id -> Text,
        version -> BigInt,
    }
}

diesel::table! {
    releases (id) {
        id -> Text,
        kit_id -> Text,
        version -> Text,
        channel -> Text,
        severity -> Text,
        status -> Text,
        notes -> Text,
        entitled_at -> Nullable<Timestamp>,
        published_at -> Nullable<Timestamp>,
        yanked_at -> Nullable<Timestamp>,
        withdrawn_at -> Nullable<Timestamp>,
        required_entitlements -> Text,
        minimum_version -> Nullable<Text>,
        rollout -> Nullable<Text>,
        rollout_salt -> Nullable<Binary>,
        halted_at -> Nullable<Timestamp>,
        yank_reason -> Nullable<Text>,
        withdraw_reason -> Nullable<Text>,
        quality_score -> Nullable<Integer>,
        build_seconds -> Nullable<Integer>,
        tests_passed -> Nullable<Integer>,
        tests_failed -> Nullable<Integer>,
        bugs_found -> Nullable<Integer>,
        bugs_fixed -> Nullable<Integer>,
        revision -> BigInt,
        created_at -> Timestamp,
    }
}

diesel::table! {
    release_grants (release_id, license_id) {
        release_id -> Text,
        license_id -> Text,
        reason -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    blobs (sha256) {
        sha256 -> Text,
        size -> BigInt,
        storage_key -> Text,
        references_count -> Integer,
        created_at -> Timestamp,
        unused_since -> Nullable<Timestamp>,
        deleting_since -> Nullable<Timestamp>,
    }
}

diesel::table! {
    uploads (id) {
        id -> Text,
        release_id -> Text,
        name -> Text,
        kind -> Text,
        platform -> Nullable<Text>,
        arch -> Nullable<Text>,
        size -> BigInt,
        sha256 -> Text,
        part_size -> BigInt,
        created_at -> Timestamp,
        used_at -> Timestamp,
    }
}

diesel::table! {
    upload_parts (upload_id, number) {
        upload_id -> Text,
        number -> Integer,
        size -> BigInt,
        sha256 -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    artifacts (id) {
        id -> Text,
        release_id -> Text,
        name -> Text,
        kind -> Text,
        platform -> Nullable<Text>,
        arch -> Nullable<Text>,
        size -> BigInt,
        sha256 -> Text,
        sha512 -> Text,
        created_at -> Timestamp,
        blake2b -> Nullable<Text>,
        signature -> Nullable<Text>,
        signed_by -> Nullable<Text>,
        archive -> Nullable<Text>,
        archive_entries -> Nullable<BigInt>,
        archive_bytes -> Nullable<BigInt>,
        zip_end -> Nullable<Binary>,
        unstampable -> Nullable<Text>,
        examined -> Bool,
    }
}

diesel::table! {
    comparisons (old_sha256, new_sha256) {
        old_sha256 -> Text,
        new_sha256 -> Text,
        edition -> Integer,
        outcome -> Text,
        summary -> Text,
        patch -> Binary,
        patch_size -> BigInt,
        patch_sha256 -> Text,
        weight -> BigInt,
        created_at -> Timestamp,
    }
}

diesel::table! {
    download_tickets (digest) {
        digest -> Binary,
        artifact_id -> Text,
        license_id -> Text,
        created_at -> Timestamp,
        expires_at -> Timestamp,
        network -> Nullable<Text>,
        bytes_asked -> BigInt,
    }
}

diesel::table! {
    downloads (id) {
        id -> Text,
        artifact_id -> Text,
        license_id -> Nullable<Text>,
        credential -> Text,
        token_id -> Nullable<Text>,
        network -> Nullable<Text>,
        bytes_asked -> Nullable<BigInt>,
        continues -> Bool,
        started_at -> Timestamp,
        completed -> Nullable<Bool>,
        stamp_nonce -> Nullable<Text>,
    }
}

diesel::table! {
    download_days (license_id, day) {
        license_id -> Text,
        day -> Integer,
        downloads -> Integer,
        networks -> Integer,
    }
}

diesel::table! {
    download_day_files (license_id, day, network, artifact_id) {
        license_id -> Text,
        day -> Integer,
        network -> Text,
        artifact_id -> Text,
    }
}

diesel::table! {
    payment_events (id) {
        id -> Text,
        provider -> Text,
        mode -> Text,
        event_id -> Text,
        event_type -> Text,
        object_id -> Nullable<Text>,
        sealed_body -> Binary,
        status -> Text,
        received_at -> Timestamp,
        handled_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    outbox (id) {
        id -> Text,
        lane -> Text,
        kind -> Text,
        sealed_parameters -> Binary,
        created_at -> Timestamp,
        due_at -> Timestamp,
        attempts -> Integer,
        reservation_version -> BigInt,
        reserved_until -> Nullable<Timestamp>,
        done_at -> Nullable<Timestamp>,
        dead_at -> Nullable<Timestamp>,
        last_error -> Nullable<Text>,
    }
}

diesel::table! {
    release_notices (release_id) {
        release_id -> Text,
        kind -> Text,
        state -> Text,
        walk -> BigInt,
        reached -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    notice_mails (id) {
        id -> Text,
        person_id -> Text,
        topic -> Text,
        created_at -> Timestamp,
        closed_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    notices (release_id, person_id) {
        release_id -> Text,
        person_id -> Text,
        mail_id -> Nullable<Text>,
        state -> Text,
        reason -> Nullable<Text>,
        created_at -> Timestamp,
        settled_at -> Nullable<Timestamp>,
        kind -> Nullable<Text>,
    }
}

diesel::table! {
    buyer_notices (release_id, customer_id) {
        release_id -> Text,
        customer_id -> Text,
        state -> Text,
        reason -> Nullable<Text>,
        job_id -> Nullable<Text>,
        created_at -> Timestamp,
        settled_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    buyer_choices (customer_id, kit_id) {
        customer_id -> Text,
        kit_id -> Text,
        since -> Timestamp,
    }
}

diesel::table! {
    notice_choices (person_id, kit_id, kind) {
        person_id -> Text,
        kit_id -> Text,
        kind -> Text,
        since -> Timestamp,
    }
}

diesel::table! {
    notice_silences (person_id) {
        person_id -> Text,
        since -> Timestamp,
    }
}

diesel::table! {
    notice_pace (lane) {
        lane -> Text,
        next_micros -> BigInt,
    }
}

diesel::table! {
    update_check_days (day, kit_id, version) {
        day -> Text,
        kit_id -> Text,
        version -> Text,
        checks -> BigInt,
        subjects -> BigInt,
    }
}

diesel::joinable!(audit_details -> audit_log (seq));
diesel::joinable!(kit_aliases -> kits (kit_id));
diesel::joinable!(catalogs -> kits (kit_id));
diesel::joinable!(terms -> license_texts (license_text_id));
diesel::joinable!(terms_kits -> terms (terms_id));
diesel::joinable!(terms_kits -> kits (kit_id));
diesel::joinable!(price_policies -> prices (price_id));
diesel::joinable!(price_policies -> policies (policy_id));
diesel::joinable!(person_emails -> people (person_id));
diesel::joinable!(memberships -> customers (customer_id));
diesel::joinable!(memberships -> people (person_id));
diesel::joinable!(provider_customers -> customers (customer_id));
diesel::joinable!(sessions -> people (person_id));
diesel::joinable!(orders -> customers (customer_id));
diesel::joinable!(order_items -> orders (order_id));
diesel::joinable!(order_items -> prices (price_id));
diesel::joinable!(licenses -> customers (customer_id));
diesel::joinable!(licenses -> policies (policy_id));
diesel::joinable!(licenses -> order_items (order_item_id));
diesel::joinable!(licenses -> terms (terms_id));
diesel::joinable!(license_notes -> licenses (license_id));
diesel::joinable!(token_origins -> license_tokens (token_id));
diesel::joinable!(license_tokens -> licenses (license_id));
diesel::joinable!(license_tokens -> license_keys (license_key_id));
diesel::joinable!(activation_events -> licenses (license_id));
diesel::joinable!(license_keys -> licenses (license_id));
diesel::joinable!(license_holds -> licenses (license_id));
diesel::joinable!(activations -> licenses (license_id));
diesel::joinable!(releases -> kits (kit_id));
diesel::joinable!(release_grants -> releases (release_id));
diesel::joinable!(release_grants -> licenses (license_id));
diesel::joinable!(artifacts -> releases (release_id));
diesel::joinable!(artifacts -> blobs (sha256));
diesel::joinable!(uploads -> releases (release_id));
diesel::joinable!(upload_parts -> uploads (upload_id));
diesel::joinable!(download_tickets -> artifacts (artifact_id));
diesel::joinable!(download_tickets -> licenses (license_id));
diesel::joinable!(downloads -> artifacts (artifact_id));
diesel::joinable!(downloads -> licenses (license_id));

diesel::allow_tables_to_appear_in_same_query!(
    installation,
    wrapped_keys,
    signing_keys,
    key_ring,
    audit_head,
    audit_log,
    audit_details,
    audit_checkpoints,
    api_tokens,
    idempotency_keys,
    kits,
    kit_aliases,
    catalogs,
    policies,
    license_texts,
    terms,
    terms_kits,
    prices,
    price_policies,
    people,
    person_emails,
    customers,
    memberships,
    provider_customers,
    sign_ins,
    sessions,
    orders,
    order_items,
    licenses,
    license_notes,
    license_tokens,
    token_origins,
    activation_events,
    license_keys,
    license_holds,
    activations,
    releases,
    release_grants,
    blobs,
    artifacts,
    uploads,
    upload_parts,
    comparisons,
    download_tickets,
    downloads,
    download_days,
    download_day_files,
    payment_events,
    outbox,
    release_notices,
    notice_mails,
    notices,
    buyer_notices,
    buyer_choices,
    notice_choices,
    notice_silences,
    notice_pace,
    update_check_days,
);
