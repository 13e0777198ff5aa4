package import GitModel

/// Why a `.gitmodules` file is not followed.
package enum SubmoduleFlaw: Error, Equatable, Sendable {
  case tooLarge(byteCount: Int, limit: Int)
  case tooMany(limit: Int)
  case syntax(line: Int)
  /// As a directory below `.git/modules`, the name could lead out of it, or be taken for an option.
  case unsafeName([UInt8])
  case unsafePath(UnsafePath)
  /// Programs would take it for an option.
  case pathIsOption(TreePath)
  /// Two values of one variable: programs differ in which one they take.
  case twice(key: String, name: SubmoduleName)
  case samePath(TreePath)
  /// The repository of one would lie inside that of the other.
  case nestedNames(SubmoduleName, SubmoduleName)
  case missing(key: String, name: SubmoduleName)
  /// It asks that a command is run at each update.
  case command(SubmoduleName)
  /// Control characters, no UTF-8, an option, or a URL that names a program.
  case unsafeURL(SubmoduleName)
}

extension SubmoduleFlaw: CustomStringConvertible {
  package var description: String {
    switch self {
    case .tooLarge(let byteCount, let limit):
      ".gitmodules has \(byteCount) bytes, over the limit of \(limit)"
    case .tooMany(let limit): ".gitmodules names more submodules than \(limit)"
    case .syntax(let line): ".gitmodules, line \(line): is no git configuration"
    case .unsafeName(let name):
      ".gitmodules: the name \(TreePath.quoted(name)) cannot be a directory below .git/modules"
    case .unsafePath(let path): ".gitmodules: \(path)"
    case .pathIsOption(let path): ".gitmodules: the path \(path) begins with '-'"
    case .twice(let key, let name): ".gitmodules: \(name) has '\(key)' twice"
    case .samePath(let path): ".gitmodules: two submodules have the path \(path)"
    case .nestedNames(let outer, let inner):
      ".gitmodules: the repository of \(inner) would lie inside that of \(outer)"
    case .missing(let key, let name): ".gitmodules: \(name) has no '\(key)'"
    case .command(let name): ".gitmodules: \(name) asks for a command at each update"
    case .unsafeURL(let name):
      ".gitmodules: the URL of \(name) is no URL of a repository"
    }
  }
}
