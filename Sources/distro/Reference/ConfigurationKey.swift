/// A key of a configuration, as docs/reference/configuration.md lists it.
struct ConfigurationKey {
  let path: String
  let role: String
  let meaning: String

  private init(_ path: String, _ role: String, _ meaning: String) {
    (self.path, self.role, self.meaning) = (path, role, meaning)
  }

  static let all: [ConfigurationKey] =
    [
      .init("identity", "all", "this machine's `.key` file"),
      .init(
        "passphrase-file", "all",
        "a file (0600) whose first line unlocks the key; otherwise the terminal is asked"),
      .init(
        "state", "all",
        "a directory of our own: database and spool files; [what to back up](../how-to/back-up.md)"),
      .init(
        "log: format, level, file", "all",
        "`text` or `json`; `info`, `debug`, …; a file besides standard error"),
      .init(
        "carriers: zeromq: connect, server", "signer, applier",
        "address of the relay, and its `.pub` file; a signer without a relay names one for each recipient"
      ),
      .init(
        "carriers: zeromq: listen", "applier",
        "`tcp://address:port`; port `*` takes a free one and logs it"),
      .init(
        "repositories: path, remote, branches, recipients", "signer",
        "what is sent to whom; `remote` is the name by which appliers know the repository"),
      .init(
        "repositories: history", "signer",
        "`tip` (default): one patch and the newest commit; `full`: every commit. After a "
          + "change to `full`, `sign-and-send --ref BRANCH --snapshot` sends what was left out"),
      .init(
        "repositories, checkouts: limits", "signer, applier",
        "`{paths: 1000000, path-bytes: 67108864, bytes: 8589934592}`: what one message may bring, of a "
          + "snapshot all; what a checkout may hold"),
      .init(
        "lifetime-days", "signer",
        "how long a message may wait before appliers refuse it: 30, at most 90"),
      .init(
        "heartbeat-seconds", "signer",
        "how often `distro serve` sends each machine the newest revision: 60"),
      .init("relay: signers, appliers", "relay", "the addresses where it listens for each"),
      .init(
        "relay: trusted-signers, trusted-appliers", "relay",
        "directories of `NAME.pub`; `NAME.revoked` keeps an identity out"),
      .init(
        "relay: routes", "relay", "who may send to whom: [example](../../config/relay.example.yaml)"
      ),
      .init(
        "relay: quotas", "relay", "how much may wait: [example](../../config/relay.example.yaml)"),
      .init("trusted-signers", "applier", "`.pub` files; at least one"),
      .init(
        "deadline-seconds", "applier",
        "how long one step may take: 600, and 1 more for each 256 KiB"),
      .init("metrics", "applier", "a file in the text format of Prometheus"),
      .init("checkouts: remote, branch, path", "applier", "which stream updates which directory"),
      .init(
        "checkouts: on-local-changes", "applier",
        "`refuse` (default), or `overwrite`: changes by hand to files of a patch are lost"),
      .init(
        "checkouts: on-going-back", "applier",
        "`apply` (default), or `refuse`: only revisions that descend from the checkout's"),
      .init(
        "checkouts: unusual-paths", "applier",
        "`refuse` (default), or `allow`: control characters, backslashes"),
      .init(
        "checkouts: symbolic-links", "applier",
        "`inside` (default): only links that stay inside; `any`; `refuse`"),
      .init(
        "checkouts: signers", "applier",
        "those of `trusted-signers` who may change this checkout; default: all"),
      .init(
        "checkouts: stale-after-seconds", "applier",
        "stale when no first heartbeat came in that time: 600; `never` where the signer runs without `distro serve`"
      ),
    ]
    + Role.all.map { .init($0.name, "serve", "the configuration file of this role") }
}
