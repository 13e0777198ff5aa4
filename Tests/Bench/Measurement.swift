/// What a row needs to know: how large, how often.
struct Scale {
  let isShort: Bool
  /// As the command line says.
  let hooks: Int?
  var runCount: Int { isShort ? 3 : 5 }
  var hookCount: Int { hooks ?? (isShort ? 2_000 : 20_000) }
}

/// One line of the table: two figures of the same run, and what their ratio should be.
struct Measurement {
  enum Goal {
    case atMost(Double)
    case atLeast(Double)

    func isMet(by ratio: Double) -> Bool {
      switch self {
      case .atMost(let limit): ratio <= limit
      case .atLeast(let limit): ratio >= limit
      }
    }

    var text: String {
      switch self {
      case .atMost(let limit): "<= \(number(limit))"
      case .atLeast(let limit): ">= \(number(limit))"
      }
    }
  }

  let name: String
  let ours: String
  let theirs: String
  let ratio: Double
  let goal: Goal
  /// What explains the figures.
  var notes: [String] = []
}

func median(_ values: [Double]) -> Double {
  let sorted = values.sorted()
  return sorted.count % 2 == 1
    ? sorted[sorted.count / 2] : (sorted[sorted.count / 2 - 1] + sorted[sorted.count / 2]) / 2
}

func seconds(_ duration: Duration) -> Double { duration / .seconds(1) }

/// Three digits that count.
func number(_ value: Double) -> String {
  let digits = value >= 100 ? 0 : value >= 10 ? 1 : value >= 0.095 ? 2 : 3
  var scale = 1.0
  for _ in 0..<digits { scale *= 10 }
  let text = "\((value * scale).rounded() / scale)"
  return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
}

func milliseconds(_ seconds: Double) -> String { number(seconds * 1_000) + " ms" }

func rate(_ bytesPerSecond: Double) -> String { number(bytesPerSecond / 1e6) + " MB/s" }
