import Foundation
package import GitModel

// What git-lfs asks git and ssh for.
extension Mirror {
  /// What a blob in the form of git-config(1) says, in its order; keys have their section and name in lower case. No file that
  /// it includes is read.
  package func configuration(
    in blob: ObjectID
  ) throws(UpstreamError) -> [(key: String, value: String)] {
    let list = try program(in: path).run(
      ["config", "--blob", blob.hex, "--no-includes", "--list", "-z"], for: .question)
    return list.split(separator: "\0").map { entry in
      let parts = entry.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
      return (String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
    }
  }

  /// What `git-lfs-authenticate` of the upstream's host says. `path`: of the repository, as the host finds it.
  ///
  /// Source: git-lfs, docs/api/authentication.md.
  package func authenticateLargeFiles(at path: String) throws(UpstreamError) -> [UInt8] {
    let plain = path.allSatisfy {
      $0.isASCII && ($0.isLetter || $0.isNumber || "/._-~+@".contains($0))
    }
    // As git itself does where it starts a program there.
    let word = plain ? path : "'" + path.replacing("'", with: "'\\''") + "'"
    return try program(in: nil).runThere("git-lfs-authenticate \(word) download")
  }
}
