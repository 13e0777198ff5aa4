/// Every limit on what comes from outside, with its reason; docs/message-format.md lists them for other implementations.
package enum Limits {
  // Chunks: what carriers move. 128 KiB is under every broker's default limit and keeps memory flat.
  package static let chunkByteCountMax = 131_072
  /// crypto_secretstream_xchacha20poly1305_ABYTES.
  package static let chunkOverheadByteCount = 17
  package static let chunkPlaintextByteCountMax = chunkByteCountMax - chunkOverheadByteCount
  /// 64 GiB of payload: a mistake, or an attack on the disk, but no repository.
  package static let chunkCountMax: UInt32 = 524_288

  // Sealed header. 1,000 recipients of 116 bytes each still fit into one chunk.
  package static let recipientCountMax = 1_000
  package static let streamHeaderByteCount = 24
  package static let wrappedKeyByteCount = 80

  // Statements. One is sealed into one chunk.
  package static let statementByteCountMax = chunkPlaintextByteCountMax
  package static let signatureCountMax = 16
  package static let signatureByteCount = 64
  package static let remoteByteCountMax = 1_024
  package static let refByteCountMax = 255
  package static let detailByteCountMax = 1_024
  /// A longer commit object travels in a pack.
  package static let commitByteCountMax = 65_536

  // Heartbeats. With 1,000 recipients one still fits into a statement, and so does the report on all its streams.
  package static let heartbeatStreamCountMax = 1_000
  /// Of all remotes and refs together.
  package static let heartbeatNameByteCountMax = 34_000
  package static let heartbeatPartCountMax: UInt32 = 1_000
  /// Of all details of a report together: what its streams leave.
  package static let reportDetailByteCountMax = 8_192

  // Payloads.
  package static let payloadInflatedByteCountMax: UInt64 = 64 << 30
  /// A patch is applied in memory; anything larger is a pack.
  package static let patchByteCountMax = 8 << 20
  /// What one patched file may grow to in memory; a larger one travels in a pack.
  package static let patchedFileByteCountMax = 8 << 20
  package static let patchedPathCountMax = 20_000
  package static let packObjectCountMax = 10_000_000
  /// libgit2 holds whole objects: a file costs its size in memory on both sides.
  package static let objectByteCountMax: UInt64 = 1 << 30
  package static let treeDepthMax = 512
  /// Of one message: what a receiver remembers of each is small.
  package static let largeFileCountMax = 100_000
  /// Commits of submodules in one message: each is a repository on the machine.
  package static let submoduleCountMax = 1_000

  // Numbers.
  /// Of sequences and times: what SQLite and every language's numbers hold exactly (2^53 - 1).
  package static let numberMax: UInt64 = (1 << 53) - 1

  // Time.
  /// How far ahead of ours a signer's clock may be, in milliseconds.
  package static let clockSkewMillisecondsMax: UInt64 = 5 * 60 * 1_000
  /// A message is refused when it is older than it says it may get, and may not say more than this.
  package static let lifetimeMillisecondsMax: UInt64 = 90 * 24 * 3_600 * 1_000

  // The carrier protocol.
  /// A request or reply without its chunk: a deposit that names 1,000 mailboxes.
  package static let carrierFrameByteCountMax = 65_536
  /// Chunks that may be sent before the other side has said how many it takes.
  package static let creditMax: UInt32 = 32
  /// How long a carrier may keep a reader waiting before it says that there is nothing: its sign of life.
  package static let collectWaitMillisecondsMax: UInt32 = 60_000
  /// Unfinished deposits that one identity may have open, over all its connections.
  package static let openDepositCountMax = 16
  /// An unfinished deposit of which nothing came for so long is given up.
  package static let depositIdleMillisecondsMax: UInt64 = 3_600_000
  /// The same of one that is an offer and nothing more.
  package static let depositSilentMillisecondsMax: UInt64 = 10_000
  /// What a carrier has kept for so long no applier accepts any more: the longest lifetime, and a day for clocks that differ.
  package static let storedMillisecondsMax = lifetimeMillisecondsMax + 24 * 3_600 * 1_000
  /// What may wait in a reader's own inbox: what is over it waits at the carrier. Room for everything that honest signers
  /// send in days, and less than a disk.
  package static let inboxByteCountMax: UInt64 = 1 << 30
  package static let inboxMessageCountMax: UInt64 = 10_000

  // Messages of a broker.
  /// What goes into one together: none but the first two and the last chunk of a message is ever smaller than a full one.
  package static let brokerChunkCountMax = 3
  /// Chunks, and what says where they belong.
  package static let brokerMessageByteCountMax = chunkByteCountMax + 256
  /// Of one of these, for a broker that takes less at once: 16 KiB is the least that it takes.
  package static let brokerPartCountMax = 9

  /// Files in a directory of trusted identities: more are no deployment, but a wrong directory.
  package static let trustedFileCountMax = 100_000
}
