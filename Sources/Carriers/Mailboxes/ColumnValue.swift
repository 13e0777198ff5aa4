package import Foundation
package import GRDB
package import GitModel
package import MessageFormat

/// An id, a name or a time as one column of a table; a row that holds another form cannot be decoded.
///
/// `Codable` only for rows that are `Codable` records: GRDB writes and reads the column's form itself.
package protocol ColumnValue: DatabaseValueConvertible, Codable {
  associatedtype Column: DatabaseValueConvertible & Codable

  var column: Column { get }

  /// `nil`: a value that we never wrote.
  init?(column: Column)
}

extension ColumnValue {
  package var databaseValue: DatabaseValue { column.databaseValue }

  package static func fromDatabaseValue(_ value: DatabaseValue) -> Self? {
    Column.fromDatabaseValue(value).flatMap { Self(column: $0) }
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let value = Self(column: try container.decode(Column.self)) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "not a \(Self.self)")
    }
    self = value
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(column)
  }
}

extension Name: ColumnValue {
  package var column: Data { Data(bytes) }

  package init?(column: Data) { self.init(Array(column)) }
}

extension ObjectID: ColumnValue {
  package var column: Data { Data(bytes) }

  package init?(column: Data) { self.init(bytes: column) }
}

extension Timestamp: ColumnValue {
  package var column: Int64 { Int64(clamping: milliseconds) }

  package init?(column: Int64) {
    guard let milliseconds = UInt64(exactly: column) else { return nil }
    self.init(milliseconds: milliseconds)
  }
}

extension RemoteName: ColumnValue {
  package var column: String { text }

  package init?(column: String) {
    do throws(FormatError) { try self.init(column) } catch { return nil }
  }
}

extension BranchName: ColumnValue {
  package var column: String { fullName }

  package init?(column: String) { self.init(fullName: column) }
}
