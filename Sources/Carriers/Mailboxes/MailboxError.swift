package import GRDB
package import MessageFormat
package import Spool

/// Why a store did not take, find or give a sealed message.
package enum MailboxError: Error, CustomStringConvertible {
  /// The peer sent something else than it announced, or out of order.
  case outOfOrder(String)
  case missing(MessageID)
  case spool(SpoolError)
  case database(DatabaseError)
  /// The database of a state directory cannot be opened.
  case state(path: String, DatabaseError)
  /// Root works on a state of another user's, who could not read what root would leave there.
  case ownedByAnother(path: String, user: UInt32)
  /// What is in the state directory is not what this program has written there; `nil`: of the database in use.
  case damaged(path: String?, reason: String)

  /// The disk or the quota is full: nothing was lost, and the same step works once there is room.
  package var isFullDisk: Bool {
    switch self {
    case .spool(let error): error.isFullDisk
    case .database(let error), .state(_, let error): error.resultCode == .SQLITE_FULL
    case .outOfOrder, .missing, .damaged, .ownedByAnother: false
    }
  }

  /// Bytes that were stored are not there any more, and will not come back; the message has to be made anew.
  package var isLoss: Bool {
    switch self {
    case .missing, .spool(.endsEarly): true
    case .outOfOrder, .spool, .database, .state, .damaged, .ownedByAnother: false
    }
  }

  /// Another connection has the database, and did not let go of it in time.
  package var isLocked: Bool {
    switch self {
    case .database(let error), .state(_, let error):
      error.resultCode == .SQLITE_BUSY || error.resultCode == .SQLITE_LOCKED
    case .spool, .outOfOrder, .missing, .damaged, .ownedByAnother: false
    }
  }

  /// Another process handles what lies there.
  package var isInUse: Bool { if case .spool(.inUse) = self { true } else { false } }

  /// The other messages are not concerned.
  package var isOfOneMessage: Bool {
    switch self {
    case .missing, .spool: true
    case .outOfOrder, .database, .state, .damaged, .ownedByAnother: false
    }
  }

  package var description: String {
    switch self {
    case .outOfOrder(let what): what
    case .missing(let id): "message \(id.abbreviated) is not in the store"
    case .spool(let error): "\(error)"
    case .database(let error): "database: \(error.message ?? "\(error.resultCode)")"
    case .state(let path, let error): "\(path): \(error.message ?? "\(error.resultCode)")"
    case .ownedByAnother(let path, let user): "\(path): belongs to user \(user), and we are root"
    case .damaged(let path, let reason):
      "\(path.map { "\($0): " } ?? "")state is damaged: \(reason)"
    }
  }
}
