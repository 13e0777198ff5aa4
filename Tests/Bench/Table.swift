/// Columns as wide as what stands in them.
enum Table {
  static func print(_ measurements: [Measurement]) {
    var rows = [["", "distro", "compared with", "ratio", "goal", ""]]
    for row in measurements {
      rows.append([
        row.name, row.ours, row.theirs, number(row.ratio), row.goal.text,
        row.goal.isMet(by: row.ratio) ? "met" : "MISSED",
      ])
    }
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    for (index, row) in rows.enumerated() {
      let cells = zip(row, widths).map { text, width in
        text + String(repeating: " ", count: width - text.count)
      }
      Swift.print(cells.joined(separator: "  "))
      if index > 0 { for note in measurements[index - 1].notes { Swift.print("      " + note) } }
    }
  }
}
