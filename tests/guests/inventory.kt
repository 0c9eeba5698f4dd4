// A guest that uses what Kotlin programs use: collections, strings, closures, sealed classes,
// exceptions with `finally`, generics, long-lived and short-lived objects.

sealed class Shape {
    abstract val area: Double
    data class Circle(val radius: Double) : Shape() { override val area get() = 3.0 * radius * radius }
    data class Rect(val width: Double, val height: Double) : Shape() { override val area get() = width * height }
    object Point : Shape() { override val area get() = 0.0 }
}

class OutOfStock(val item: String, val missing: Int) : Exception("$item: $missing missing")

class Inventory {
    private val counts = mutableMapOf<String, Int>()
    private val log = ArrayDeque<String>()

    fun add(item: String, count: Int) {
        counts[item] = (counts[item] ?: 0) + count
        log.addLast("+$count $item")
    }

    fun take(item: String, count: Int): Int {
        val present = counts[item] ?: 0
        try {
            if (present < count) throw OutOfStock(item, count - present)
            counts[item] = present - count
            return present - count
        } finally {
            log.addLast("-$count $item")
            while (log.size > 4) log.removeFirst()
        }
    }

    override fun toString() = counts.entries.sortedBy { it.key }.joinToString { "${it.key}=${it.value}" } + " " + log
}

class Node(val key: Int, var left: Node?, var right: Node?)

fun insert(node: Node?, key: Int): Node {
    if (node == null) return Node(key, null, null)
    if (key < node.key) node.left = insert(node.left, key) else node.right = insert(node.right, key)
    return node
}

fun depth(node: Node?): Int = if (node == null) 0 else 1 + maxOf(depth(node.left), depth(node.right))

fun fold(node: Node?, f: (Int) -> Unit) {
    if (node == null) return
    fold(node.left, f)
    f(node.key)
    fold(node.right, f)
}

fun garbage(rounds: Int): Long {
    val kept = mutableListOf<List<Int>>()
    var sum = 0L
    for (round in 0 until rounds) {
        val list = List(50) { it * round }
        sum += list.filter { it % 3 == 0 }.map { it.toLong() * 2 }.sum()
        if (round % 100 == 0) kept.add(list)
    }
    return sum + kept.sumOf { it.last() }
}

fun words(text: String) = text.lowercase().split(' ', ',', '.').filter { it.isNotEmpty() }
    .groupingBy { it }.eachCount().entries
    .sortedWith(compareByDescending<Map.Entry<String, Int>> { it.value }.thenBy { it.key })
    .take(3).joinToString { "${it.key}:${it.value}" }

fun main() {
    val shapes = listOf(Shape.Circle(2.0), Shape.Rect(3.0, 4.5), Shape.Point)
    for (shape in shapes) {
        val text = when (shape) {
            is Shape.Circle -> "circle ${shape.radius}"
            is Shape.Rect -> "rect ${shape.width} x ${shape.height}"
            Shape.Point -> "point"
        }
        println("$text has area ${shape.area}")
    }
    println(shapes[0] == Shape.Circle(2.0))

    val inventory = Inventory()
    inventory.add("nut", 10)
    inventory.add("bolt", 5)
    println(inventory.take("nut", 3))
    try {
        inventory.take("bolt", 7)
    } catch (e: OutOfStock) {
        println("caught ${e.message} (${e.missing})")
    }
    println(inventory)

    var root: Node? = null
    var key = 1
    repeat(2000) {
        key = (key * 1103515245 + 12345) and 0x7fffffff
        root = insert(root, key % 10007)
    }
    var previous = Int.MIN_VALUE
    var sorted = true
    var count = 0
    fold(root) { sorted = sorted && previous <= it; previous = it; count++ }
    println("tree: $count keys, sorted $sorted, depth ${depth(root)}")

    println("garbage ${garbage(20000)}")
    println(words("The quick fox, the lazy dog. The end, fox."))
    val any: List<Any?> = listOf(1, "two", 3.5, null, 'c', 5L, listOf(6))
    println(any.joinToString("|") { if (it is Int) "int $it" else if (it is String) it.reversed() else it.toString() })
    try {
        println((any[1] as Int) + 1)
    } catch (e: ClassCastException) {
        println("not an Int")
    }
    try {
        println(listOf(1, 2)[2])
    } catch (e: IndexOutOfBoundsException) {
        println("out of bounds")
    }
    println(buildString { for (c in 'a'..'z' step 5) append(c) })
    println((1..20).fold(1L) { a, b -> a * b % 1_000_000_007L })
}
