import GitModel

/// How the newest revision comes to be where people and programs use it: files replaced in place, or a directory for each
/// revision.
///
/// A step goes `prepare` → `activate`, and is in the journal from before its first visible change until its
/// messages are answered. What the machine does not let it do is thrown, and leaves everything as it was;
/// then the messages are still in the inbox, and the step is made again from there.
protocol Deployment {
  /// Everything that can be done before anyone sees it: objects, new files, room, and what would be in the
  /// way. Throws `Refused` for what is in the way of a message.
  func prepare(_ batch: Batch) throws

  /// Makes the prepared step visible, whole or not at all; durable when it returns.
  func activate() throws

  /// Takes an activated step back, whose revision turned out to be of no use. Can be repeated.
  func rollBack(_ entry: Journal.Entry) throws -> RollBack

  /// Where the files of a revision are that stands.
  func directory(of revision: ObjectID) throws -> String

  /// Brings what a run before this one has left to one end or the other.
  func recover(_ entry: Journal.Entry) throws -> RecoveredStep
}

/// What became of a step that an earlier run had begun.
enum RecoveredStep: Equatable {
  /// The revision after stands; its messages can be answered.
  case activated
  /// The revision before stands, or what someone made of the checkout since; the messages are tried again.
  case takenBack
}

enum RollBack: Equatable {
  /// The revision before stands.
  case done
  /// The revision after stands; for people: why.
  case impossible(String)
}

extension Checkout {
  func deployment(journal: Journal, onPhase: @escaping PhaseObserver) -> any Deployment {
    switch settings.layout {
    case .inPlace: WorkingCopy(self, journal: journal, onPhase: onPhase)
    case .releases(let releases):
      ReleaseDirectory(self, releases, journal: journal, onPhase: onPhase)
    }
  }
}
