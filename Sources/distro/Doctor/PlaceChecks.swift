import Foundation
import Host

/// Directories that a role writes to: whether it can, whether others can, and how much room is left.
struct PlaceChecks {
  /// Below this nothing of any size can be taken in.
  private static let freeByteCountMin: UInt64 = 64 << 20
  /// Below this a person should know.
  private static let freeByteCountLow: UInt64 = 1 << 30
  private static let freeNodeCountMin: UInt64 = 1_000
  /// What a file system that is mounted over a network may be ahead.
  private static let skewSecondsMax = 5

  let area: Finding.Area
  let path: String

  /// Of a state directory: for its owner alone.
  func checkState(_ examination: inout Examination) {
    do {
      guard let rights = try FileRights.of(path) else { return checkParent(&examination) }
      guard rights.isDirectory else {
        return examination.fail(area, path, "is no directory", do: "move the file away")
      }
      try checkRights(rights, &examination)
      try checkTime(&examination)
      try checkRoom(at: path, &examination)
    } catch {
      examination.fail(area, path, error)
    }
  }

  private func checkRights(_ rights: FileRights, _ examination: inout Examination) throws {
    if rights.owner != FileRights.user {
      let isRoot = FileRights.user == 0
      let advice = "run the doctor as that user: sudo -u '#\(rights.owner)' distro doctor …"
      let finding = "belongs to user \(rights.owner), and we are user \(FileRights.user)"
      return isRoot
        ? examination.warn(area, path, finding, do: advice)
        : examination.fail(area, path, finding, do: advice)
    }
    if !rights.isWritable {
      return examination.fail(
        area, path, "cannot be written to",
        do: "chmod 700 \(path); in a unit with ProtectSystem=strict: ReadWritePaths=")
    }
    for name in ["state.sqlite", "spool"] {
      let entry = path + "/" + name
      if let rights = try FileRights.of(entry), !rights.isWritable {
        return examination.fail(
          area, entry, "cannot be written to", do: "as root: chown -R \(FileRights.user) \(path)")
      }
    }
    guard rights.mode & 0o022 == 0 else {
      return examination.fail(
        area, path, "others can write there (mode 0\(String(rights.mode, radix: 8)))",
        do: "chmod 700 \(path)")
    }
    guard rights.mode & 0o077 == 0 else {
      return examination.warn(
        area, path, "others can look into it (mode 0\(String(rights.mode, radix: 8)))",
        do: "chmod 700 \(path)")
    }
    examination.ok(area, path, "is there, and ours alone")
  }

  /// What was written here cannot be younger than now.
  private func checkTime(_ examination: inout Examination) throws {
    let now = Int(Date().timeIntervalSince1970)
    for name in ["state.sqlite", "state.sqlite-wal"] {
      guard let rights = try FileRights.of(path + "/" + name) else { continue }
      let ahead = rights.modifiedSeconds - now
      guard ahead > Self.skewSecondsMax else { continue }
      return examination.fail(
        .clock, "clock",
        "\(path)/\(name) was written \(ahead) s in the future: the clock went back",
        do: "set the clock; messages made or judged by a wrong one are refused")
    }
  }

  /// Of a directory that the role makes when it first needs it.
  func checkParent(_ examination: inout Examination) {
    do {
      var parent = path
      var rights: FileRights?
      repeat {
        parent = URL(fileURLWithPath: parent).deletingLastPathComponent().path
        rights = try FileRights.of(parent)
      } while rights == nil && parent != "/"
      guard let rights, rights.isDirectory, rights.isWritable else {
        return examination.fail(
          area, path, "is not there, and cannot be made in \(parent)",
          do: "install -d -o USER -m 700 \(path), with the user of the service")
      }
      examination.ok(area, path, "is not there yet, and will be made")
      try checkRoom(at: parent, &examination)
    } catch {
      examination.fail(area, path, error)
    }
  }

  func checkRoom(at directory: String, _ examination: inout Examination) throws {
    let space = try DiskSpace(at: directory)
    let size = "\(space.freeByteCount >> 20) MiB of \(space.byteCount >> 20) MiB are free"
    if space.freeByteCount < Self.freeByteCountMin {
      examination.fail(
        .disk, path, size, do: "make room: nothing can be stored or applied on a full disk")
    } else if let nodes = space.freeNodeCount, nodes < Self.freeNodeCountMin {
      examination.fail(
        .disk, path, "\(nodes) inodes are free", do: "remove small files that are no longer needed")
    } else if space.freeByteCount < Self.freeByteCountLow {
      examination.warn(
        .disk, path, size, do: "make room: a large payload needs four times its size for a while")
    } else {
      examination.ok(.disk, path, size)
    }
  }
}
