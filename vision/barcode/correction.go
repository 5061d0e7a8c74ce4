package barcode

// The error correction of PDF417: Reed–Solomon over the numbers modulo 929, roots 3^1 … 3^k.

// powers are 3^0 … 3^927 and the logarithms to base 3.
type powers struct{ exp, log [fieldSize]int }

func newPowers() *powers {
	p := &powers{}
	value := 1
	for i := range fieldSize - 1 {
		p.exp[i], p.log[value] = value, i
		value = value * 3 % fieldSize
	}
	return p
}

func (p *powers) power(exponent int) int {
	exponent %= fieldSize - 1
	if exponent < 0 {
		exponent += fieldSize - 1
	}
	return p.exp[exponent]
}

func (p *powers) inverse(a int) int { return p.power(-p.log[a]) }

// syndromes are the values of the received polynomial at the roots; all zero for a codeword.
func (p *powers) syndromes(words []int, k int) (s []int, clean bool) {
	s, clean = make([]int, k), true
	for j := range s {
		root, sum := p.power(j+1), 0
		for _, w := range words {
			sum = (sum*root + w) % fieldSize
		}
		s[j] = sum
		clean = clean && sum == 0
	}
	return s, clean
}

// correct repairs words in a copy. The erased positions may hold anything; an error elsewhere costs two of the k
// correction codewords, an erasure one, and spare of them must be left over: chance meets them once in 929^spare.
// wrong is the number of codewords outside the erasures that were changed.
func (p *powers) correct(words []int, k int, erased []int, spare int) (fixed []int, wrong int, ok bool) {
	n := len(words)
	if len(erased)+spare > k || n > fieldSize-1 {
		return nil, 0, false
	}
	s, clean := p.syndromes(words, k)
	fixed = append([]int(nil), words...)
	if clean {
		return fixed, 0, true
	}
	locator := p.locator(s, n, k, erased)
	degree := len(locator) - 1
	for degree > 0 && locator[degree] == 0 {
		degree--
	}
	if 2*degree-len(erased) > k-spare || degree < len(erased) {
		return nil, 0, false
	}
	// omega = s · locator mod x^k; Forney's formula gives what each place is off by.
	omega := make([]int, k)
	for i := range omega {
		sum := 0
		for j := 0; j <= min(i, degree); j++ {
			sum += locator[j] * s[i-j] % fieldSize
		}
		omega[i] = sum % fieldSize
	}
	roots := 0
	for i := range n {
		at := p.power(-(n - 1 - i))
		if p.value(locator[:degree+1], at) != 0 {
			continue
		}
		roots++
		slope, x := 0, 1
		for j := 1; j <= degree; j++ {
			slope = (slope + j%fieldSize*locator[j]%fieldSize*x) % fieldSize
			x = x * at % fieldSize
		}
		if slope == 0 {
			return nil, 0, false
		}
		fixed[i] = (fixed[i] + p.value(omega, at)*p.inverse(slope)) % fieldSize
	}
	if roots != degree {
		return nil, 0, false
	}
	if _, clean = p.syndromes(fixed, k); !clean {
		return nil, 0, false
	}
	return fixed, degree - len(erased), true
}

// locator is the polynomial whose roots tell the places, by Berlekamp and Massey from the erasures on.
func (p *powers) locator(s []int, n, k int, erased []int) []int {
	lambda, former := make([]int, k+2), make([]int, k+2)
	lambda[0] = 1
	for count, i := range erased {
		x := p.power(n - 1 - i)
		for j := count + 1; j > 0; j-- {
			lambda[j] = (lambda[j] + (fieldSize-x)*lambda[j-1]) % fieldSize
		}
	}
	copy(former, lambda)
	length := len(erased)
	for r := len(erased) + 1; r <= k; r++ {
		delta := 0
		for j := 0; j < min(r, len(lambda)); j++ {
			delta += lambda[j] * s[r-1-j] % fieldSize
		}
		delta %= fieldSize
		copy(former[1:], former[:k+1])
		former[0] = 0
		if delta == 0 {
			continue
		}
		next := make([]int, k+2)
		for j := range next {
			next[j] = (lambda[j] + (fieldSize-delta)*former[j]) % fieldSize
		}
		if 2*length <= r+len(erased)-1 {
			scale := p.inverse(delta)
			for j := range former {
				former[j] = lambda[j] * scale % fieldSize
			}
			length = r + len(erased) - length
		}
		lambda = next
	}
	return lambda
}

func (p *powers) value(polynomial []int, x int) int {
	sum := 0
	for j := len(polynomial) - 1; j >= 0; j-- {
		sum = (sum*x + polynomial[j]) % fieldSize
	}
	return sum
}
