import Foundation
import Host

/// A configured path, and where it leads: a link to a directory is followed once, at the start of a step.
struct LinkedPath {
  let target: String

  /// Throws `Refused` for a link to nothing.
  init(_ path: String) throws {
    if let target = try SymbolicLink.target(of: path),
      !FileManager.default.fileExists(atPath: path)
    {
      throw Refused(.checkoutUnusable, "\(path) is a symbolic link to nothing: \(target)")
    }
    target = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
  }
}
