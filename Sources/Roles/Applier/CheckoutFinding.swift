import GitModel
import MessageFormat

/// What a step has found a checkout at, so that nothing is opened twice for it.
enum CheckoutFinding {
  case unknown
  /// `nil`: nothing that can be read.
  case at(ObjectID?)
}

extension Decision {
  /// Of the checkouts that it is about, by path.
  var findings: [String: CheckoutFinding] {
    guard case .heartbeatAnswered(let answered) = self else {
      return Dictionary(paths.map { ($0, .unknown) }) { first, _ in first }
    }
    return Dictionary(
      answered.streams.map { ($0.stream.settings.path, $0.standing?.finding ?? .unknown) }
    ) { first, _ in first }
  }
}

extension Report.Standing {
  fileprivate var finding: CheckoutFinding {
    switch self {
    case .current(let snapshot): .at(snapshot.revision)
    // Nothing is there, or it cannot be read.
    case .behind(let snapshot): snapshot.map { .at($0.revision) } ?? .unknown
    case .blocked(_, _, let revision): .at(revision)
    }
  }
}
