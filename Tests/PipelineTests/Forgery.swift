import Compression
import Git
import GitModel
import MessageFormat
import Patching
import Sealing
import Signer
import Sodium

/// A message that is put together by hand: honest at first, and then changed wherever a test wants to.
struct Forgery {
  var message: Message
  /// As sealed, that is compressed.
  var payload: [UInt8]
  var type = Message.statementType
  /// Who signs; whom it is sealed for.
  var author: Identity
  var readers: [PublicIdentity]
  /// The encoded message on its way to the signature, and the statement on its way into its chunk.
  var editBody: ([UInt8]) -> [UInt8] = { $0 }
  var editStatement: (Statement) -> Statement = { $0 }

  /// `inflatedSize` says something else than the content has, if given.
  mutating func setContent(
    _ kind: PayloadDescription.Kind, _ content: [UInt8], inflatedSize: Int? = nil
  ) throws {
    payload = try Self.compressed(content)
    describe(kind, inflatedSize: inflatedSize ?? content.count)
  }

  mutating func describe(_ kind: PayloadDescription.Kind, inflatedSize: Int) {
    message.payload = PayloadDescription(
      kind: kind, digest: ContentDigest(of: payload), size: UInt64(payload.count),
      inflatedSize: UInt64(inflatedSize))
  }

  func sealed() throws -> SealedMessage {
    let body = editBody(message.encoded())
    let statement = editStatement(try Statement.signed(body, type: type, by: author))
    var sealer = Sealer(for: readers)
    var chunks = [sealer.header, sealer.seal(statement, isLast: payload.isEmpty)]
    var rest = payload[...]
    while !rest.isEmpty {
      let piece = Array(rest.prefix(Limits.chunkPlaintextByteCountMax))
      rest = rest.dropFirst(piece.count)
      chunks.append(sealer.seal(piece, isLast: rest.isEmpty))
    }
    return SealedMessage(chunks: chunks)
  }

  static func compressed(_ content: [UInt8]) throws -> [UInt8] {
    var bytes: [UInt8] = []
    var compressor = try Compressor()
    func append(_ span: Span<UInt8>) { for index in span.indices { bytes.append(span[index]) } }
    try compressor.write(content, into: append)
    try compressor.finish(into: append)
    return bytes
  }

  /// A pack of these objects, whole and well-formed, whatever they hold.
  static func pack(_ objects: [(kind: ObjectKind, bytes: [UInt8])]) throws -> [UInt8] {
    var contents: [ObjectID: [UInt8]] = [:]
    var references: [ObjectReference] = []
    for object in objects {
      let id = try ObjectDatabase.hash(object.kind, object.bytes)
      contents[id] = object.bytes
      references.append(ObjectReference(id: id, kind: object.kind))
    }
    let known = contents
    var stream = PackStream(references) { (object: ObjectReference) throws(GitError) -> [UInt8] in
      guard let bytes = known[object.id] else { throw GitError.objectMissing(object.id) }
      return bytes
    }
    var pack: [UInt8] = []
    while let piece = try stream.next() { pack += piece }
    return pack
  }
}

extension Pipeline {
  /// What the signer would say of a patch from the last revision it sent to `after`, a commit of the source.
  func forgery(to after: ObjectID, kind: PayloadDescription.Kind = .patch) throws -> Forgery {
    let repository = try Repository(opening: source.path)
    let commit = try repository.objects.commit(after)
    var forgery = try forgery(to: commit)
    guard let before = forgery.message.before else { return forgery }
    switch kind {
    case .patch:
      let made = try TreePatch.make(
        from: before.tree, to: commit.tree, in: repository.objects, limits: .carried)
      guard case .made(let text) = made else { throw ForgeryFailure.noPatch }
      try forgery.setContent(.patch, text)
    case .pack, .replacement:
      let references = try repository.objects.objects(of: commit.tree, notIn: before.tree)
      try forgery.setContent(
        .pack,
        Forgery.pack(
          references.map { ($0.kind, try repository.objects.read($0.id, $0.kind)) }))
    }
    return forgery
  }

  func deposit(_ forgery: Forgery) throws {
    try deposit(try forgery.sealed())
    forged = (forgery.message.sequence, ContentDigest(of: forgery.message.encoded()))
  }

  /// With a payload that is still to come.
  func forgery(to commit: Commit) throws -> Forgery {
    let head = try outbox.head(of: stream)
    var last = (sequence: head?.sequence ?? 0, digest: head?.digest)
    if let forged, forged.sequence > last.sequence { last = (forged.sequence, forged.digest) }
    let payload = try Forgery.compressed(Array("nothing".utf8))
    let message = Message(
      signer: signer.public.mailbox, recipients: [applier.public.mailbox], stream: stream,
      before: try head.map { try snapshot($0.revision) },
      after: Snapshot(revision: commit.id, tree: commit.tree), commit: commit.bytes,
      sequence: last.sequence + 1, previous: last.digest, createdAt: clock.now,
      expiresAt: clock.now.adding(milliseconds: 3_600_000),
      payload: PayloadDescription(
        kind: .patch, digest: ContentDigest(of: payload), size: UInt64(payload.count),
        inflatedSize: 7),
      descends: head != nil)
    return Forgery(message: message, payload: payload, author: signer, readers: [applier.public])
  }

  /// A pack that brings this root directory, whose objects need not be such as git would make.
  func forgery(
    tree root: [UInt8], with objects: [(kind: ObjectKind, bytes: [UInt8])]
  ) throws -> Forgery {
    let tree = try ObjectDatabase.hash(.tree, root)
    let text = "tree \(tree)\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nforged\n"
    var forgery = try forgery(to: try Commit(bytes: Array(text.utf8)))
    try forgery.setContent(.pack, Forgery.pack([(.tree, root)] + objects))
    return forgery
  }
}

enum ForgeryFailure: Error { case noPatch }

/// Entries of a tree object, in the order given, with any mode and any name.
func treeBytes(_ entries: [(mode: String, name: [UInt8], id: ObjectID)]) -> [UInt8] {
  var bytes: [UInt8] = []
  for entry in entries {
    bytes += entry.mode.utf8
    bytes.append(0x20)
    bytes += entry.name
    bytes.append(0)
    bytes += entry.id.bytes
  }
  return bytes
}
