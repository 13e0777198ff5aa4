import FoundationEssentials
package import GitModel

/// An applier's signed answer to a heartbeat: how each of its checkouts stands towards what the heartbeat says
/// (docs/message-format.md, "Report").
package struct Report: StatementBody, Hashable {
  package static let statementType = "application/vnd.distro.report.v1"

  package enum Standing: Hashable, Sendable {
    /// The checkout is where the heartbeat says.
    case current(Snapshot)
    /// The checkout is at this revision (`nil`: it does not exist), and needs the changes from there on.
    case behind(Snapshot?)
    /// The machine cannot work on the checkout, which is at `revision` where that can be read. The detail is for people.
    case blocked(BlockReason, detail: String, revision: ObjectID?)
  }

  /// One stream of the heartbeat that the applier has a checkout of.
  package struct Stream: Hashable, Sendable {
    package let name: StreamName
    /// As the heartbeat says it.
    package let sequence: UInt64
    package let standing: Standing

    package init(_ name: StreamName, sequence: UInt64, standing: Standing) {
      (self.name, self.sequence, self.standing) = (name, sequence, standing)
    }
  }

  package let applier: Mailbox
  package let signer: Mailbox
  /// Of the heartbeat.
  package let counter: UInt64
  package let receivedAt: Timestamp
  package let finishedAt: Timestamp
  /// In ascending order of their names, each once, at least one.
  package let streams: [Stream]

  package init(
    applier: Mailbox, signer: Mailbox, counter: UInt64, receivedAt: Timestamp,
    finishedAt: Timestamp, streams: [Stream]
  ) {
    self.applier = applier
    self.signer = signer
    self.counter = counter
    self.receivedAt = receivedAt
    self.finishedAt = finishedAt
    self.streams = streams.sorted { $0.name < $1.name }
  }
}

extension Report {
  package var author: Mailbox { applier }

  package func encoded() -> [UInt8] {
    var wire = WireReport()
    wire.version = formatVersion
    wire.applier = Data(applier.bytes)
    wire.signer = Data(signer.bytes)
    wire.counter = counter
    wire.receivedAt = receivedAt.milliseconds
    wire.finishedAt = finishedAt.milliseconds
    var detailByteCount = Limits.reportDetailByteCountMax
    wire.streams = streams.map { Self.wire($0, &detailByteCount) }
    return encodeCanonically(wire)
  }

  /// `detailByteCount`: how much room is left for details.
  private static func wire(_ stream: Stream, _ detailByteCount: inout Int) -> WireStreamState {
    var wire = WireStreamState()
    wire.remote = stream.name.remote.text
    wire.ref = stream.name.branch.fullName
    wire.sequence = stream.sequence
    switch stream.standing {
    case .current(let snapshot):
      wire.standing = .current
      wire.revision = Data(snapshot.revision.bytes)
      wire.tree = Data(snapshot.tree.bytes)
    case .behind(let snapshot):
      wire.standing = .behind
      wire.revision = Data(snapshot?.revision.bytes ?? [])
      wire.tree = Data(snapshot?.tree.bytes ?? [])
    case .blocked(let reason, let detail, let revision):
      wire.standing = .blocked
      wire.block = reason.rawValue
      wire.revision = Data(revision?.bytes ?? [])
      wire.detail = printableDetail(
        detail, byteCountMax: min(Limits.detailByteCountMax, detailByteCount))
      detailByteCount -= wire.detail.utf8.count
    }
    return wire
  }

  package init(decoding bytes: [UInt8]) throws(FormatError) {
    let wire = try decodeCanonically(
      WireReport.self, from: bytes, named: "report", byteCountMax: Limits.statementByteCountMax)
    try requireVersion(wire.version, of: "report")
    try requireLimit(wire.streams.count, Limits.heartbeatStreamCountMax, field: "report.streams")
    var streams: [Stream] = []
    for stream in wire.streams { streams.append(try Stream(stream)) }
    try requireStreams(streams.map(\.name), of: "report")
    try requireLimit(
      wire.streams.reduce(0) { $0 + $1.detail.utf8.count }, Limits.reportDetailByteCountMax,
      field: "report.streams.details")
    self.init(
      applier: try name(wire.applier, field: "report.applier"),
      signer: try name(wire.signer, field: "report.signer"),
      counter: try requiredCounter(wire.counter, of: "report"),
      receivedAt: try time(wire.receivedAt, field: "report.received_at"),
      finishedAt: try time(wire.finishedAt, field: "report.finished_at"), streams: streams)
  }
}

extension Report.Stream {
  private static let structure = "report.streams"

  fileprivate init(_ wire: WireStreamState) throws(FormatError) {
    name = try StreamName(remote: wire.remote, ref: wire.ref, of: Self.structure)
    try requireSequence(wire.sequence, of: Self.structure)
    sequence = wire.sequence
    standing = try Self.standing(wire)
  }

  private static func standing(_ wire: WireStreamState) throws(FormatError) -> Report.Standing {
    guard wire.standing != .blocked else { return try blocked(wire) }
    guard wire.block.isEmpty else { throw .invalid(field: "\(structure).block") }
    guard wire.detail.isEmpty else { throw .invalid(field: "\(structure).detail") }
    let snapshot = try Snapshot.decoding(
      wire.revision, wire.tree, fields: ("\(structure).revision", "\(structure).tree"))
    switch wire.standing {
    case .behind: return .behind(snapshot)
    case .current:
      guard let snapshot else { throw .invalid(field: "\(structure).revision") }
      return .current(snapshot)
    case .answered, .blocked, .UNRECOGNIZED: throw .invalid(field: "\(structure).standing")
    }
  }

  private static func blocked(_ wire: WireStreamState) throws(FormatError) -> Report.Standing {
    guard wire.tree.isEmpty, let reason = BlockReason(rawValue: wire.block) else {
      throw .invalid(field: "\(structure).block")
    }
    let revision = ObjectID(bytes: wire.revision)
    guard wire.revision.isEmpty || revision?.isZero == false else {
      throw .invalid(field: "\(structure).revision")
    }
    return .blocked(
      reason, detail: try detail(wire.detail, field: "\(structure).detail"), revision: revision)
  }
}
