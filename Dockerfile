FROM rust:1.95-slim-bookworm AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libpq-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# As in .cargo/config.toml.
ENV LIBSQLITE3_FLAGS="-DSQLITE_ENABLE_QPSG -USQLITE_ENABLE_STAT4 -USQLITE_THREADSAFE -DSQLITE_THREADSAFE=2 -USQLITE_ENABLE_MEMORY_MANAGEMENT -DSQLITE_DEFAULT_MEMSTATUS=0"
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --locked --package kitward --profile dist --no-default-features --features postgres-tls \
    && install -D -m 0755 target/dist/kitward /out/kitward

FROM debian:bookworm-slim
LABEL org.opencontainers.image.title="Kitward" \
      org.opencontainers.image.description="Licenses, updates and downloads for kits" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates libpq5 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin kitward \
    && install -d -o kitward -g kitward -m 0700 /data
COPY --from=build /out/kitward /usr/local/bin/kitward

# Off loopback, KITWARD_PUBLIC_URL has to be given as well.
ENV KITWARD_DATA_DIR=/data \
    KITWARD_LISTEN=0.0.0.0:8080
USER 10001:10001
WORKDIR /data
# The only place it writes to, beside /tmp: the root file system may be read-only.
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 CMD ["kitward", "doctor", "--ping"]
ENTRYPOINT ["kitward"]
CMD ["serve"]
