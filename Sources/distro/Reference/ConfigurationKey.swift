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
        "carriers: directory: path, file-mebibytes, poll-seconds", "signer, applier",
        "a directory that somebody carries, prepared with `distro carry --prepare`; the largest file in it: 64 MiB, at most "
          + "4095; how often it is looked at: 5 s. [How to](../how-to/directory.md)"),
      .init(
        "carriers: rabbitmq: url, password-file, ca-file", "signer, applier",
        "`amqps://USER@HOST[:PORT]/[VHOST]`, several hosts with commas between, or `amqp://` on this machine alone; a "
          + "file (0600) whose first line is the password, read for each connection; certificates of authorities in place of the machine's. "
          + "[RabbitMQ](../how-to/rabbitmq.md)"),
      .init(
        "carriers: activemq: url, user, password-file, ca-file", "signer, applier",
        "`stomp+ssl://HOST[:PORT][/VIRTUAL-HOST]`, or `stomp://` on this machine alone; a user, and a file (0600) whose first "
          + "line is the password, read for each connection: both, or none where the broker asks nobody; certificates of "
          + "authorities in place of the machine's. [ActiveMQ](../how-to/activemq.md)"),
      .init(
        "carriers: ironmq: host, port, project, token-file, ca-file, request-bytes",
        "signer, applier",
        "name of the host, or `http://127.0.0.1:PORT` on this machine alone; 443; the project's ID; a file (0600) whose "
          + "first line is the token, read for each connection and when it is refused; certificates of authorities in "
          + "place of the machine's; what the project's plan takes as one request, `65536` or `262144`: 65536. "
          + "[IronMQ](../how-to/ironmq.md)"),
      .init(
        "carriers: nats: urls, credentials-file, user, password-file, ca-file, replicas",
        "signer, applier",
        "servers of one cluster, `tls://HOST[:PORT]`, or `nats://` on this machine alone; a file (0600) "
          + "of NATS credentials, or a user and a file (0600) whose first line is the password, read for "
          + "each connection; certificates of authorities besides the machine's; copies of our stream, "
          + "1 to 5, normally 1. [NATS](../how-to/nats.md)"),
      .init(
        "repositories: path, remote, branches, recipients", "signer",
        "what is sent to whom; `remote` is the name by which appliers know the repository"),
      .init(
        "repositories: branches", "signer",
        "names, and patterns: `*` for any characters but a slash, `**` for any, `?` for one but a slash. Of several "
          + "entries for one remote, the first that has a branch sends it"),
      .init(
        "repositories: upstream", "signer",
        "in place of `path`: `ssh://`, `git@host:path`, `https://` or `file://`. A mirror below `state` is fetched by "
          + "`git`: [upstreams](../how-to/upstreams.md)"),
      .init(
        "repositories: key-file, known-hosts-file", "signer",
        "ssh: a private key without a passphrase (0600), otherwise the agent of `SSH_AUTH_SOCK`; the only host keys "
          + "that are trusted"),
      .init(
        "repositories: token-file, user, ca-file, proxy", "signer",
        "https: a file (0600) whose first line is a token, and the name beside it (`git`); certificates of authorities in "
          + "place of the machine's; `http://HOST:PORT`. The last two count for large files of ssh upstreams "
          + "as well"),
      .init(
        "repositories: plain-http", "signer",
        "`refuse` (default), or `allow`: `http://` to another machine than this one"),
      .init(
        "repositories: poll-seconds, timeout-seconds", "signer",
        "how often `distro serve` looks by itself whether a branch has moved: 300 for an upstream, 1 for a path, or "
          + "`never`; how long one fetch may take: 600"),
      .init(
        "repositories: history", "signer",
        "`tip` (default): one patch and the newest commit; `full`: every commit. After a "
          + "change to `full`, `sign-and-send --ref BRANCH --snapshot` sends what was left out"),
      .init(
        "repositories: lfs", "signer",
        "`pointers` (default): files of Git LFS arrive as pointers; `ship`: as their contents. "
          + "[Large files](../how-to/large-files.md)"),
      .init(
        "repositories: lfs-url, lfs-token-file, lfs-user", "signer",
        "of an upstream: its LFS server, where it is another one than git-lfs would ask; a file (0600) whose first line is "
          + "a token for that server, and the name beside it (`git`)"),
      .init(
        "repositories: submodules", "signer",
        "`pin` (default): a submodule arrives as the id of its commit; `ship`: with its files. "
          + "[Submodules](../how-to/submodules.md)"),
      .init(
        "repositories: same-tree", "signer",
        "`skip` (default): a commit that changes no file is not sent, and machines with the same files are up to "
          + "date; `follow`: their revision moves. [Commits without a change](../how-to/same-tree.md)"
      ),
      .init(
        "repositories, checkouts: limits", "signer, applier",
        "`{paths: 1000000, path-bytes: 67108864, bytes: 8589934592}`: what one message may bring, of a "
          + "snapshot all; what a checkout may hold"),
      .init(
        "lifetime-days", "signer",
        "how long a message may wait before appliers refuse it: 30, at most 90"),
      .init(
        "failover-seconds", "signer, applier",
        "where several carriers lead to the same mailbox: how long a message waits for one before the next takes it: 60"
      ),
      .init(
        "heartbeat-seconds", "signer",
        "how often `distro serve` sends each machine the newest revision: 60"),
      .init(
        "socket: path, group, mode", "signer",
        "where `distro serve` takes requests of `sign-and-send`, and which programs may ask: "
          + "`/run/distro/signer.sock`, the daemon's group, `0660`; a path alone does as well. Without the "
          + "key: in `state`, for the same user"),
      .init(
        "repositories: status", "signer",
        "where receipts are shown as commit statuses: `host` (`github`, `gitlab`, `bitbucket-cloud`, "
          + "`bitbucket-data-center`, `gitea`, `forgejo`), `api`, `token-file` (0600), `project` where it does "
          + "not follow from `remote`, `machines` (`true`: a status for each), `deployments` (GitHub, GitLab), "
          + "`link`, `ca-file`, `proxy`; [how to](../how-to/statuses-and-notices.md)"),
      .init(
        "notify: on, mail, slack, webhook, run, digest-seconds", "signer",
        "who is told of `applied`, `refused`, `rolled-back`, `stale`, `unseen`, `recovered`, "
          + "`host-unreachable`: one way an entry; [how to](../how-to/statuses-and-notices.md)"),
      .init(
        "stale-after-seconds", "signer",
        "a machine that is silent, or not at its branch's revision, for so long is `unseen` or `stale`: 600, "
          + "and three heartbeats at least"),
      .init("relay: signers, appliers", "relay", "the addresses where it listens for each"),
      .init(
        "relay: trusted-signers, trusted-appliers", "relay",
        "directories of `NAME.pub`; `NAME.revoked` keeps an identity out"),
      .init(
        "relay: routes", "relay",
        "which signer may send to which applier: [example](../../config/relay.example.yaml)"
      ),
      .init(
        "relay: quotas", "relay", "how much may wait: [example](../../config/relay.example.yaml)"),
      .init(
        "listen", "hooks",
        "`127.0.0.1:8480`, `unix:/run/distro-hooks/hooks.sock`, or `{path: F, group: www-data, mode: 0660}`"
      ),
      .init(
        "tls: certificate, key", "hooks",
        "PEM files, read again when they change; without the key: plain HTTP, behind a proxy"),
      .init("signer", "hooks", "the signer's socket: `/run/distro/signer.sock`"),
      .init(
        "hooks: path, host, remote", "hooks",
        "the path that is entered at the code host; `github`, `gitlab`, `bitbucket-cloud`, "
          + "`bitbucket-data-center`, `gitea`, `forgejo` or `generic`; the repository, as the signer names it"
      ),
      .init(
        "hooks: secret-files", "hooks",
        "files (0600) with one secret each; a request may be signed with any of them. Read again when they change"
      ),
      .init(
        "hooks: insecure", "hooks",
        "`true`: no secret, so that anyone can make the signer fetch; otherwise a secret is needed"),
      .init(
        "trusted-proxies", "hooks",
        "addresses and networks whose `X-Forwarded-For` is believed; default: none"),
      .init(
        "requests-per-second", "hooks",
        "how many requests of one address are taken: 500, and twice as many at once"),
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
        "those of `trusted-signers` that may change this checkout; default: all"),
      .init(
        "checkouts: stale-after-seconds", "applier",
        "stale when no first heartbeat came in that time: 600; `never` where the signer runs without `distro serve`"
      ),
      .init(
        "checkouts: allow-paths, deny-paths, submodules", "applier",
        "patterns of paths, as in `.gitignore`: a message that touches another path, or a denied one, is refused as "
          + "`not-permitted`; `submodules`: `allow` (default) or `refuse`. [Policy](../how-to/policy.md)"
      ),
      .init(
        "checkouts: no-apply", "applier",
        "when nothing is applied, and messages wait: `Fri 16:00 - Mon 08:00 Europe/Berlin`, `22:00 - 06:00 UTC`, or a list "
          + "of such"),
      .init(
        "checkouts: layout, keep, shared", "applier",
        "`in-place` (default), or `releases`: a directory for each revision below `releases`, and the link `current` to the "
          + "one in use; how many stay: 5; paths that all releases have in common, as links to `shared`. "
          + "[Releases](../how-to/releases.md)"),
      .init(
        "checkouts: before-apply, after-apply, on-failure", "applier",
        "`{run: [PROGRAM, ARGUMENT], timeout-seconds: 60}`: what runs before a step, which it may forbid; once the "
          + "new revision stands, which is taken back where it fails; and once a step has failed. Also `user`, `group`, "
          + "and `shell: true` for a text that `/bin/sh` reads. [Commands](../how-to/commands.md)"),
      .init(
        "checkouts: health", "applier",
        "`{get: URL}` or `{run: […]}`, tried once a second `within-seconds` (30): a status of 200 to 299, or the exit "
          + "status 0; `on-failure`: `roll-back` (default), or `keep`"),
    ]
    + Role.all.map { .init($0.name, "serve", "the configuration file of this role") }
}
