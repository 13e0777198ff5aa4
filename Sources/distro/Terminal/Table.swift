/// Rows in columns for people, within the terminal's width. What is too long for a column goes into notes below its row.
struct Table {
  /// How a row's state is shown.
  enum Tone: Int {
    case problem, pending, well
  }

  struct Row {
    let tone: Tone
    let cells: [String]
    /// Sentences below the row: indented, and wrapped between words.
    let notes: [String]

    init(_ tone: Tone, _ cells: [String], notes: [String] = []) {
      (self.tone, self.cells, self.notes) = (tone, cells, notes)
    }
  }

  static let indentation = "  "

  private let heading: [String]
  private let rows: [Row]
  /// The column that shows the row's tone.
  private let state: Int

  /// Problems come first; rows of one tone keep their order.
  init(_ heading: [String], state: Int, _ rows: [Row]) {
    precondition(rows.allSatisfy { $0.cells.count == heading.count })
    self.heading = heading
    self.state = state
    self.rows = rows.enumerated().sorted {
      ($0.element.tone.rawValue, $0.offset) < ($1.element.tone.rawValue, $1.offset)
    }.map(\.element)
  }

  func lines(_ style: TerminalStyle) -> [String] {
    let widths = heading.indices.dropLast().map { column in
      ([heading] + rows.map(\.cells)).map { $0[column].count }.max() ?? 0
    }
    let room = style.width - widths.reduce(0) { $0 + $1 + 2 }
    func line(_ cells: [String], _ tone: Tone?) -> [String] {
      let padded = zip(cells, widths).enumerated().map { column, cell in
        let text = column == state ? style.toned(cell.0, tone) : cell.0
        return text + String(repeating: " ", count: cell.1 - cell.0.count)
      }
      let last = cells.last ?? ""
      let shown = state == cells.count - 1 ? style.toned(last, tone) : last
      // The last cell has no width of its own: where it does not fit, it has a line to itself.
      guard last.count <= room else {
        return [padded.joined(separator: "  "), Self.indentation + shown]
      }
      return [(padded + [shown]).joined(separator: "  ")]
    }
    return line(heading, nil).map(Self.trimmed)
      + rows.flatMap { row in
        line(row.cells, row.tone).map(Self.trimmed)
          + row.notes.flatMap { style.wrapped($0, indentation: Self.indentation) }
      }
  }

  private static func trimmed(_ line: String) -> String {
    String(line.reversed().drop { $0 == " " }.reversed())
  }
}
