/// The first frame of a knocker: what it asks for. Where it is about a hook's lines, frames with lists of them follow,
/// and an empty list ends them.
struct IntakeQuestion: Codable, Sendable {
  static let version = 1
  private static let textByteCountMax = 4_096
  private static let patienceSecondsMax = 86_400
  private static let quorumMax = 1_000_000

  private static let refCountMax = 1_000

  enum Subject: String, Codable { case pushes, branch, outbox, moved }

  let version: Int
  let subject: Subject
  let repository: String
  let isNamed: Bool
  var ref: String?
  var from: String?
  var to: String?
  var isSnapshot = false
  let patienceSeconds: Int
  var quorum: Int?
  /// Of `moved`; none: any may have.
  var refs: [String]?
  /// Lines that are not among those that follow, and are of no branch.
  var unnamedCount = 0

  init(_ request: PushRequest) {
    version = Self.version
    (repository, isNamed, quorum) = (request.repository, request.isNamed, request.quorum)
    patienceSeconds = Int(request.patience.components.seconds)
    switch request.subject {
    case .pushes(let lines):
      subject = .pushes
      unnamedCount = lines.unnamedCount
    case .branch(let ref, let start, let to):
      subject = .branch
      (self.ref, self.to) = (ref, to)
      switch start {
      case .whereRecipientsAre: break
      case .revision(let revision): from = revision
      case .nothing: isSnapshot = true
      }
    case .outbox: subject = .outbox
    case .moved(let refs):
      subject = .moved
      // So many are as good as all.
      self.refs = refs.count <= Self.refCountMax ? refs : []
    }
  }

  /// A hint: what it may lead to is less than what an operator may ask for.
  func request(_ lines: PushLines) throws(IntakeError) -> PushRequest {
    guard !repository.isEmpty else { throw .invalid("the repository is not named") }
    guard refs?.count ?? 0 <= Self.refCountMax else {
      throw .invalid("more than \(Self.refCountMax) refs")
    }
    for text in [repository, ref, from, to].compactMap(\.self) + (refs ?? [])
    where text.utf8.count > Self.textByteCountMax {
      throw .invalid(
        "a text of \(text.utf8.count) bytes is over the limit of \(Self.textByteCountMax)")
    }
    guard (0...Self.patienceSecondsMax).contains(patienceSeconds) else {
      throw .invalid("0 to \(Self.patienceSecondsMax) seconds may be waited")
    }
    guard (1...Self.quorumMax).contains(quorum ?? 1) else {
      throw .invalid("a quorum is 1 or more")
    }
    return PushRequest(
      repository: repository, isNamed: isNamed, subject: try subject(lines),
      patience: .seconds(patienceSeconds), quorum: quorum, isHint: true)
  }

  private func subject(_ lines: PushLines) throws(IntakeError) -> PushRequest.Subject {
    switch subject {
    case .pushes:
      guard (0...Int(Int32.max)).contains(unnamedCount) else {
        throw .invalid("there are no \(unnamedCount) lines")
      }
      var all = lines
      all.add(unnamedCount: unnamedCount)
      return .pushes(all)
    case .branch:
      guard let ref else { throw .invalid("the name of the branch is missing") }
      guard from == nil || !isSnapshot else {
        throw .invalid("a snapshot starts from nothing")
      }
      let start: Sending.Start =
        from.map { .revision($0) } ?? (isSnapshot ? .nothing : .whereRecipientsAre)
      return .branch(ref: ref, from: start, to: to)
    case .outbox: return .outbox
    case .moved: return .moved(refs: refs ?? [])
    }
  }
}
