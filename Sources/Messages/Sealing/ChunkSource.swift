/// The chunks of a sealed message, wherever they lie; each can be read any number of times.
package protocol ChunkSource<Failure> {
  associatedtype Failure: Error

  var count: UInt32 { get }

  subscript(index: UInt32) -> [UInt8] { get throws(Failure) }
}

/// Chunks in memory.
package struct ChunkList: ChunkSource {
  private let chunks: [[UInt8]]

  package init(_ chunks: [[UInt8]]) { self.chunks = chunks }

  package var count: UInt32 { UInt32(chunks.count) }

  package subscript(index: UInt32) -> [UInt8] { chunks[Int(index)] }
}
