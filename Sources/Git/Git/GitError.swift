package import GitModel
import Glibc

/// Everything that reading or writing a repository can fail with.
package enum GitError: Error, Equatable {
  // Opening and creating.
  case directoryMissing(path: String)
  case notRepository(path: String)
  /// git's rule since CVE-2022-24765; `git config --global --add safe.directory <path>` lifts it.
  case ownedByAnotherUser(path: String)
  case objectFormatUnsupported(path: String)
  case extensionUnsupported(path: String, reason: String)
  case alreadyExists(path: String)

  // Revisions and references.
  case revisionMissing(String)
  case revisionAmbiguous(String)
  case referenceNameInvalid(String)
  /// The reference is not at the expected revision (any more), or is symbolic.
  case referenceMoved(name: String, expected: ObjectID?, actual: ObjectID?)
  /// The file of the branch holds no object's name.
  case referenceDamaged(name: String)
  /// `refs/heads/a` and `refs/heads/a/b` cannot both be there.
  case referenceBlocked(name: String, by: String)
  case tooManyCommits(countMax: Int)

  // Objects.
  case objectMissing(ObjectID)
  case objectDamaged(ObjectID, reason: String)
  case objectKindWrong(ObjectID, expected: ObjectKind, actual: ObjectKind)
  case objectTooLarge(ObjectID, byteCount: Int, byteCountMax: Int)
  /// `path`: of the directory, where it is known.
  case malformedTree(reason: String, path: [UInt8] = [])
  case malformedCommit(reason: String)
  case unsafePath(UnsafePath)
  case treeTooDeep(path: [UInt8], depthMax: Int)
  case treeOverLimit(TreeExcess)
  /// Something is wrong with one commit of many.
  indirect case inCommit(ObjectID, GitError)

  // Packs.
  case malformedPack(PackFault)
  case tooManyPackedObjects(count: Int, countMax: Int)
  case packedObjectTooLarge(byteCount: Int, byteCountMax: Int)

  // Locks and files.
  /// A lock file of git's is there: another program works on the repository, or was killed.
  case locked(path: String)
  /// Another process of ours holds the checkout.
  case heldByAnother(path: String)
  case indexUnreadable(path: String, reason: String)
  /// As git wrote it, in a form that is not supported here.
  case indexUnsupported(path: String, form: IndexForm)
  case malformedShallowFile(path: String)
  case system(call: String, path: String, code: Int32)
  case libgit2(action: String, code: Int32, reason: String)
}

extension GitError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .directoryMissing(let path): "directory \(path): is not there"
    case .notRepository(let path): "directory \(path): is no git repository"
    case .ownedByAnotherUser(let path):
      "repository \(path): belongs to another user, and safe.directory does not name it"
    case .objectFormatUnsupported(let path): "repository \(path): has SHA-256 object names"
    case .extensionUnsupported(let path, let reason): "repository \(path): \(reason)"
    case .alreadyExists(let path): "repository \(path): is already there"
    case .revisionMissing(let name): "revision \(name): is not there"
    case .revisionAmbiguous(let name): "revision \(name): names more than one object"
    case .referenceNameInvalid(let name): "reference \(name): is no name that git allows"
    case .referenceMoved(let name, let expected, let actual):
      "reference \(name): expected at \(Self.text(expected)), found at \(Self.text(actual))"
    case .referenceDamaged(let name): "reference \(name): its file is damaged"
    case .referenceBlocked(let name, let other): "reference \(name): \(other) is in the way"
    case .tooManyCommits(let countMax): "history: has more than \(countMax) commits"
    default: objectDescription
    }
  }

  private var objectDescription: String {
    switch self {
    case .objectMissing(let id): "object \(id): is not there"
    case .objectDamaged(let id, let reason): "object \(id): is damaged: \(reason)"
    case .objectKindWrong(let id, let expected, let actual):
      "object \(id): is a \(actual.rawValue), not a \(expected.rawValue)"
    case .objectTooLarge(let id, let byteCount, let byteCountMax):
      "object \(id): has \(byteCount) bytes, \(byteCountMax) are allowed"
    case .malformedTree(let reason, let path):
      path.isEmpty ? "tree: \(reason)" : "directory \(TreePath.quoted(path)): \(reason)"
    case .malformedCommit(let reason): "commit: \(reason)"
    case .unsafePath(let path): path.description
    case .treeTooDeep(let path, let depthMax):
      "path \(TreePath.quoted(path)): lies deeper than \(depthMax) directories"
    case .treeOverLimit(let excess): excess.description
    case .inCommit(let id, let error): "commit \(id): \(error)"
    case .malformedPack(let fault): "pack: \(fault.rawValue)"
    case .tooManyPackedObjects(let count, let countMax):
      "pack: has \(count) objects, \(countMax) are allowed"
    case .packedObjectTooLarge(let byteCount, let byteCountMax):
      "pack: has an object of \(byteCount) bytes, \(byteCountMax) are allowed"
    default: fileDescription
    }
  }

  private var fileDescription: String {
    switch self {
    case .locked(let path): "lock \(path): is held by another program, or left over from one"
    case .heldByAnother(let path): "lock \(path): is held by another process"
    case .indexUnreadable(let path, let reason): "index \(path): \(reason)"
    case .indexUnsupported(let path, let form): "index \(path): \(form.description)"
    case .malformedShallowFile(let path): "file \(path): has a line that is no object name"
    case .system(let call, let path, let code):
      "\(path): \(call) failed: \(unsafe String(cString: strerror(code)))"
    case .libgit2(let action, let code, let reason): "\(action): \(reason) (libgit2 \(code))"
    default: preconditionFailure("every case has its words in one of the three lists")
    }
  }

  private static func text(_ id: ObjectID?) -> String { id?.abbreviated ?? "nothing" }
}
