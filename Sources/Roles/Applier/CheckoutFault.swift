import Diagnostics
import Foundation
import Git
import Glibc
import Host
import MessageFormat
import WorkingTree

/// What the machine did not let us do with one checkout, for example a full disk, a lock of git's, a directory that is not
/// ours; or with one message, whose name is in the place of the path.
package struct CheckoutFault: Error, CustomStringConvertible {
  package let path: String
  package let reason: any Error
  /// What was in hand.
  var message: MessageReference?

  init(path: String, reason: any Error, message: MessageReference? = nil) {
    self.path = path
    self.reason = reason
    self.message = message
  }

  package var description: String { "\(path): \(detail)" }

  var detail: String { (reason as? CocoaError)?.fault ?? "\(reason)" }
}

extension CheckoutFault {
  /// What a signer and an operator are told.
  var blockReason: BlockReason {
    switch reason {
    case let error as GitError: Self.reason(of: error)
    case let error as WorkingTreeError:
      if case .cannot(_, _, let code) = error {
        Self.reason(ofCode: code)
      } else {
        .checkoutUnreadable
      }
    case let error as CocoaError:
      Self.reason(ofCode: (error.underlying as? POSIXError)?.code.rawValue)
    case let error as POSIXError: Self.reason(ofCode: error.code.rawValue)
    case StepFault.paused: .paused
    case let error as any OperatorError: Self.reason(of: error.code)
    default: .other
    }
  }

  private static func reason(of error: GitError) -> BlockReason {
    switch error {
    case .system(_, _, let code): reason(ofCode: code)
    case .indexUnreadable: .indexDamaged
    default: reason(of: error.code)
    }
  }

  private static func reason(of code: ErrorCode) -> BlockReason {
    switch code {
    case .diskFull: .diskFull
    case .readOnly, .stateRights, .repositoryOwner: .permission
    case .repositoryLocked: .gitLock
    case .repositoryDamaged, .revisionMissing: .objectsDamaged
    case .repositoryMissing: .checkoutUnreadable
    case .repositoryUnsupported: .checkoutMismatch
    default: .other
    }
  }

  private static func reason(ofCode code: Int32?) -> BlockReason {
    switch code {
    case ENOSPC, EDQUOT: .diskFull
    case EACCES, EPERM, EROFS: .permission
    case ENOTDIR, ELOOP, EIO, ENOENT, EXDEV: .checkoutUnreadable
    default: .other
    }
  }
}
