import MessageFormat

/// Which messages of one depositor a reader has made durable: the newest ones, in a file that travels back.
///
/// What was pushed out and still lies in a copy of the directory comes once more, and is acknowledged once more.
struct Acknowledgements: Equatable {
  private static let title = "distro directory acknowledgements 1"

  struct Entry: Equatable {
    let id: MessageID
    let slot: Slot?
    let written: UInt64

    init(id: MessageID, slot: Slot?, written: UInt64) {
      (self.id, self.slot, self.written) = (id, slot, written)
    }

    init(_ manifest: Manifest) {
      self.init(id: manifest.id, slot: manifest.slot, written: manifest.written)
    }
  }

  /// Grows with each writing: of two copies the one with the larger number is the newer one.
  private(set) var number: UInt64 = 0
  private(set) var entries: [Entry] = []
  private var ids: Set<MessageID> = []

  init() {}

  func contains(_ id: MessageID) -> Bool { ids.contains(id) }

  /// Acknowledged, or replaced by what was acknowledged in the same slot.
  func covers(_ manifest: Manifest) -> Bool {
    contains(manifest.id)
      || manifest.slot.map { slot in
        entries.contains { $0.slot == slot && $0.written >= manifest.written }
      } ?? false
  }

  /// A slot needs one entry, its newest.
  mutating func add(_ entry: Entry) {
    guard !contains(entry.id) else { return }
    if let slot = entry.slot { entries.removeAll { $0.slot == slot } }
    entries.append(entry)
    entries.removeFirst(max(0, entries.count - DirectoryLayout.acknowledgementCountMax))
    ids = Set(entries.map(\.id))
  }

  /// What another run of the same reader has written meanwhile.
  mutating func merge(_ other: Acknowledgements) {
    let own = entries
    self = other
    for entry in own { add(entry) }
  }

  /// With a number that is larger than that of every copy. `time`: milliseconds since 1970.
  mutating func renumber(at time: UInt64) {
    number = isPlausible(at: time) ? max(number + 1, time) : time
  }

  /// Not so far ahead that somebody has made it up, whom no later list would ever overtake.
  func isPlausible(at time: UInt64) -> Bool {
    number < time + DirectoryLayout.clockMillisecondsMax
  }

  func encoded() -> [UInt8] {
    var text = "\(Self.title)\nnumber \(number)\n"
    for entry in entries {
      text += "\(entry.id.hex) \(entry.slot?.hex ?? "-") \(entry.written)\n"
    }
    return Array((text + "end\n").utf8)
  }

  /// `nil`: not a list of acknowledgements in its canonical form.
  init?(decoding bytes: [UInt8]) {
    guard var lines = FieldLines(bytes, title: Self.title), let number = lines.number(of: "number"),
      number <= Limits.numberMax
    else { return nil }
    self.number = number
    while let line = lines.next(), line != "end" {
      let fields = line.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
      guard fields.count == 3, entries.count < DirectoryLayout.acknowledgementCountMax,
        let id = MessageID(hex: fields[0]), let written = UInt64(fields[2]),
        written <= Limits.numberMax
      else { return nil }
      entries.append(Entry(id: id, slot: Slot(hex: fields[1]), written: written))
    }
    ids = Set(entries.map(\.id))
    guard ids.count == entries.count, encoded() == bytes else { return nil }
  }
}
