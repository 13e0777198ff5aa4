import Glibc

/// A directory below a repository's objects that looks like one of its own and is gone when nobody
/// needs it any more.
final class Quarantine {
  let objectsDirectory: String
  let directory: String
  var packDirectory: String { directory + "pack/" }

  init(objectsDirectory: String) throws(GitError) {
    self.objectsDirectory = objectsDirectory
    var template = Array(
      (objectsDirectory + QuarantinedPack.directoryPrefix + "XXXXXX").utf8CString)
    guard unsafe mkdtemp(&template) != nil else {
      throw SystemFile.failure("mkdtemp", objectsDirectory)
    }
    let name = template.dropLast().map { UInt8(bitPattern: $0) }
    directory = String(decoding: name, as: UTF8.self) + "/"
    for path in [packDirectory, objectsDirectory + "pack"]
    where unsafe mkdir(path, 0o777) != 0 && errno != EEXIST {
      throw SystemFile.failure("mkdir", path)
    }
  }

  deinit {
    do throws(GitError) {
      try SystemFile.removeTree(directory)
    } catch {
      // A deinitializer cannot report it; `removeLeftovers` finds it by its name.
      return
    }
  }
}
