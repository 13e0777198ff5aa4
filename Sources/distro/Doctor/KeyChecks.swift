import Foundation
import Host
import Sodium

/// The secret key of a role.
struct KeyChecks {
  let path: String
  let hasPassphraseFile: Bool

  func run(_ examination: inout Examination) {
    do {
      let locked = try KeyFile.readSecret(path)
      if locked.needsPassphrase && !hasPassphraseFile {
        examination.warn(
          .key, path, "needs a passphrase, and a service has no terminal to be asked on",
          do: "name a file (0600) that holds it: 'passphrase-file:'")
      } else {
        examination.ok(.key, path, "is whole, and ours alone; it is \(locked.name)")
      }
      try checkDirectory(&examination)
    } catch {
      examination.fail(.key, path, error)
    }
  }

  /// A user who can write there can put another key in this one's place.
  private func checkDirectory(_ examination: inout Examination) throws {
    let directory = URL(fileURLWithPath: path).deletingLastPathComponent().path
    guard let rights = try FileRights.of(directory) else { return }
    let isSticky = rights.mode & 0o1000 != 0
    if rights.mode & 0o022 != 0 && !isSticky {
      examination.fail(
        .key, directory, "others can replace keys there (mode 0\(String(rights.mode, radix: 8)))",
        do: "chmod go-w \(directory)")
    }
  }
}
