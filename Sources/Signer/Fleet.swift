import Git
import GitModel
import MessageFormat

/// Every machine of every stream, and how far it is behind.
package struct Fleet {
  /// Further away is as good as lost: counting ends here.
  private static let commitCountMax = 100_000

  /// How many commits a machine lacks.
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
    package let machine: Machine
    package let distance: Distance
    package let healing: Healing.State
    /// What it was sent last.
    package let newest: SentMessage?
  }

  package let rows: [Row]

  /// A repository that cannot be opened has nothing to say of revisions; the rest is shown.
  package init(
    _ outbox: Outbox, repositories: [(remote: String, path: String)]
  ) throws {
    var opened: [String: Repository] = [:]
    for (remote, path) in repositories {
      do throws(GitError) {
        opened[remote] = try Repository(opening: path)
      } catch {
        continue
      }
    }
    let newest = try outbox.newest()
    rows = try outbox.machines().map { machine in
      Row(
        machine: machine, distance: Self.distance(of: machine, in: opened[machine.remote]),
        healing: Healing.state(of: machine),
        newest: newest.first {
          $0.recipient == machine.recipient && $0.remote == machine.remote && $0.ref == machine.ref
        })
    }
  }

  private static func distance(of machine: Machine, in repository: Repository?) -> Distance {
    guard let revision = machine.revision else { return .nothing }
    if revision == machine.head { return .commits(0) }
    guard let repository else { return .unknownRevision }
    do throws(GitError) {
      let missing = try repository.commits(
        from: revision, to: machine.head, countMax: commitCountMax)
      return .commits(missing.count)
    } catch {
      return .unknownRevision
    }
  }
}
