import Foundation
import Git
import GitModel
import TestSupport

/// Commits in the source that no git program makes: thousands of them in the time of a few.
struct RaceSource {
  private let repository: Repository
  private let branch: String

  init(_ source: PipelineRepository) throws {
    repository = try Repository(opening: source.path)
    branch = source.path + "/.git/refs/heads/main"
  }

  /// A commit of exactly these files, on the branch.
  @discardableResult
  func commit(_ files: [String: String], on parent: ObjectID) throws -> ObjectID {
    let tree = try tree(files.mapValues { Array($0.utf8) })
    let person = "A <a@example.org> 1700000000 +0000"
    let text =
      "tree \(tree)\nparent \(parent)\nauthor \(person)\ncommitter \(person)\n\nround\n"
    let commit = try repository.objects.write(.commit, Array(text.utf8))
    try Data("\(commit)\n".utf8).write(to: URL(fileURLWithPath: branch))
    return commit
  }

  private func tree(_ files: [String: [UInt8]]) throws -> ObjectID {
    var directories: [String: [String: [UInt8]]] = [:]
    var entries: [(mode: String, name: [UInt8], id: ObjectID)] = []
    for (path, content) in files {
      let parts = path.split(separator: "/", maxSplits: 1).map(String.init)
      if parts.count == 2 {
        directories[parts[0], default: [:]][parts[1]] = content
      } else {
        let id = try repository.objects.write(.blob, content)
        entries.append(("100644", Array(path.utf8), id))
      }
    }
    for (name, files) in directories {
      entries.append(("40000", Array(name.utf8), try tree(files)))
    }
    // git's order: a directory's name ends in a slash.
    entries.sort { left, right in
      let names = [left, right].map { $0.name + ($0.mode == "40000" ? [0x2f] : []) }
      return names[0].lexicographicallyPrecedes(names[1])
    }
    return try repository.objects.write(.tree, treeBytes(entries))
  }
}
