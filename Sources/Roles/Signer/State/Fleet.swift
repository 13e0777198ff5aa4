import Git
package import GitModel
package import MessageFormat

/// Every recipient of every stream, and how far it is behind.
package struct Fleet {
  /// Further away is as good as lost: counting ends here.
  private static let commitCountMax = 100_000

  /// How many commits a recipient lacks.
  package enum Distance: Sendable {
    case commits(Int)
    /// Its revision is none that the repository can compare.
    case unknownRevision
    /// There is nothing, or it never answered.
    case nothing

    package var text: String {
      switch self {
      case .commits(0): "-"
      case .commits(let count): "\(count)"
      case .unknownRevision: "unknown revision"
      case .nothing: "all"
      }
    }

    package var commitCount: Int? { if case .commits(let count) = self { count } else { nil } }
  }

  package struct Row: Sendable {
    package let recipient: Recipient
    package let distance: Distance
    package let healing: Healing.State
    /// What it was sent last.
    package let newest: SentMessage?
  }

  /// A branch whose files have changed since it was last sent: a push whose hook did not run, or failed.
  package struct Unsent: Sendable {
    package let stream: StreamName
    package let tip: ObjectID
    /// What was sent lies so far behind the tip.
    package let distance: Distance
  }

  /// Of the recipients that are configured.
  package let rows: [Row]
  package let unsent: [Unsent]
  /// Why repositories cannot be looked at: whether their branches have moved is unknown.
  package let faults: [any Error]

  /// A repository that cannot be opened has nothing to say of revisions; the rest is shown.
  package init(_ outbox: Outbox, repositories: [SignerRepository]) throws {
    let sources = repositories.map { Source($0) }
    let newest = Dictionary(
      try outbox.newest().map { (Key(id: $0.id, recipient: $0.recipient), $0) }
    ) { first, _ in first }
    rows = try outbox.recipients().compactMap { recipient in
      guard let source = sources.first(where: { $0.configured.sends(recipient.stream) }),
        source.sends(to: recipient)
      else { return nil }
      return Row(
        recipient: recipient,
        // Its files are those of the newest revision, under another commit.
        distance: recipient.isUpToDate
          ? .commits(0) : source.distance(from: recipient.revision, to: recipient.head),
        healing: Healing.state(of: recipient),
        newest: recipient.newest.flatMap { newest[Key(id: $0, recipient: recipient.mailbox)] })
    }
    var faults: [String: any Error] = [:]
    var unsent: [Unsent] = []
    for (index, source) in sources.enumerated() {
      let tips: [BranchName: ObjectID]
      do throws(GitError) {
        tips = try source.tips()
      } catch {
        faults[source.configured.path] = error
        continue
      }
      for (branch, tip) in tips.sorted(by: { $0.key.fullName < $1.key.fullName }) {
        let stream = source.configured.stream(branch)
        let owner = sources.firstIndex { $0.configured.sends(stream) }
        let sent = try outbox.head(of: stream)?.revision
        guard owner == index, !source.hasSameFiles(sent, tip) else { continue }
        unsent.append(
          Unsent(stream: stream, tip: tip, distance: source.distance(from: sent, to: tip)))
      }
    }
    self.unsent = unsent
    self.faults = faults.sorted { $0.key < $1.key }.map(\.value)
  }

  private struct Key: Hashable {
    let id: MessageID
    let recipient: Mailbox
  }

  private struct Source {
    let configured: SignerRepository
    private let opened: Result<Repository, GitError>
    private let recipients: Set<Mailbox>

    init(_ configured: SignerRepository) {
      self.configured = configured
      recipients = Set(configured.recipients.map(\.mailbox))
      opened = Result { () throws(GitError) in try Repository(opening: configured.path) }
    }

    private var repository: Repository? {
      if case .success(let repository) = opened { repository } else { nil }
    }

    func sends(to recipient: Recipient) -> Bool {
      recipients.contains(recipient.mailbox)
    }

    /// A mirror that was not made yet has none.
    func tips() throws(GitError) -> [BranchName: ObjectID] {
      if case .upstream(let place) = configured.source, !place.isThere { return [:] }
      return try configured.branches.tips(in: opened.get())
    }

    /// A commit that changes none has nothing to be sent.
    func hasSameFiles(_ sent: ObjectID?, _ tip: ObjectID) -> Bool {
      guard let sent, sent != tip else { return sent == tip }
      do throws(GitError) {
        guard let objects = repository?.objects else { return false }
        return try objects.commit(sent).tree == objects.commit(tip).tree
      } catch {
        return false
      }
    }

    func distance(from revision: ObjectID?, to tip: ObjectID) -> Distance {
      guard let revision else { return .nothing }
      if revision == tip { return .commits(0) }
      guard let repository else { return .unknownRevision }
      do throws(GitError) {
        let missing = try repository.commits(from: revision, to: tip, countMax: commitCountMax)
        return .commits(missing.count)
      } catch {
        return .unknownRevision
      }
    }
  }
}
