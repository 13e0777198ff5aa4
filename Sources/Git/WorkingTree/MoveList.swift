internal import GitModel

/// What a step is about to move between the staging directory and the tree, on the disk before the
/// first move: with the list alone, everything can be put back.
struct MoveList: Equatable {
  static let name = "moves"
  private static let header = Array("distro moves 1".utf8)
  private static let end = Array("end".utf8)

  /// A staged file and the path that it goes to; afterwards the slot holds what was there.
  struct Write: Equatable {
    let number: Int
    let path: [UInt8]
    let inode: UInt64
    let modified: FileStatus.Time
    let size: Int64
  }

  /// A path that goes, and the slot that it goes to.
  struct Removal: Equatable {
    let number: Int
    let path: [UInt8]
  }

  /// What the caller wants to know of an interrupted step.
  var note: [UInt8]
  var removals: [Removal] = []
  var writes: [Write] = []
  /// Directories that are not there yet.
  var directories: [[UInt8]] = []
}

extension MoveList.Write {
  func isOurs(_ status: FileStatus) -> Bool { status.inode == inode }

  /// As it was staged: no program wrote to it.
  func isUntouched(_ status: FileStatus) -> Bool {
    isOurs(status) && status.modified == modified && status.size == size
  }
}

// One field after the other, each ended by a NUL byte, which no path holds.
extension MoveList {
  var encoded: [UInt8] {
    var bytes: [UInt8] = []
    func add(_ field: some Sequence<UInt8>) {
      bytes += field
      bytes.append(0)
    }
    add(Self.header)
    add(note)
    for removal in removals {
      add("r \(removal.number)".utf8)
      add(removal.path)
    }
    for write in writes {
      let times = "\(write.modified.seconds) \(write.modified.nanoseconds)"
      let inode = Int64(bitPattern: write.inode)
      add("w \(write.number) \(inode) \(times) \(write.size)".utf8)
      add(write.path)
    }
    for directory in directories {
      add("d".utf8)
      add(directory)
    }
    add(Self.end)
    return bytes
  }

  /// `nil`: cut off, so that the step had not begun to move anything.
  init?(decoding bytes: [UInt8]) {
    var fields = bytes.split(separator: 0, omittingEmptySubsequences: false).dropLast()
    guard fields.count >= 3, fields.popFirst().map(Array.init) == Self.header,
      let note = fields.popFirst(), fields.popLast().map(Array.init) == Self.end,
      fields.count.isMultiple(of: 2)
    else { return nil }
    self.init(note: Array(note))
    while let kind = fields.popFirst(), let path = fields.popFirst() {
      let words = String(decoding: kind, as: UTF8.self).split(separator: " ")
      let numbers = words.dropFirst().compactMap { Int64($0) }
      guard numbers.count == words.count - 1, !path.isEmpty else { return nil }
      switch (words.first, numbers.count) {
      case ("r", 1): removals.append(Removal(number: Int(numbers[0]), path: Array(path)))
      case ("w", 5):
        writes.append(
          Write(
            number: Int(numbers[0]), path: Array(path), inode: UInt64(bitPattern: numbers[1]),
            modified: .init(
              seconds: numbers[2], nanoseconds: UInt32(truncatingIfNeeded: numbers[3])),
            size: numbers[4]))
      case ("d", 0): directories.append(Array(path))
      default: return nil
      }
    }
  }
}
